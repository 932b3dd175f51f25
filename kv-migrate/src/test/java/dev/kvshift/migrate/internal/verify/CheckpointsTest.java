package dev.kvshift.migrate.internal.verify;

import static dev.kvshift.testkit.fixture.TestCopy.COPY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.embedded.KafkaBroker;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.migrate.api.DifferenceCounts;
import dev.kvshift.migrate.api.VerifyReport;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.VerifyPass;
import dev.kvshift.migrate.internal.ledger.VerifyRecord;
import dev.kvshift.migrate.internal.stream.Brokers;
import dev.kvshift.migrate.internal.stream.Topic;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.Store;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.UUID;
import java.util.function.UnaryOperator;
import javax.management.JMException;
import javax.management.ObjectName;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class CheckpointsTest {
  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final RowDigest ROW = new RowDigest(7, 8, RowDigest.NO_EXPIRY);
  private static final Bytes POSITION = Bytes.utf8("position");

  private final String name = UUID.randomUUID().toString();
  private final Store store = MemoryStoreProvider.open(name);
  private final Ledger ledger = new Ledger(store.metadata(), "files", PATIENCE, Clock.systemUTC());
  private final Topic topic =
      new Topic(
          Brokers.plain(KafkaBroker.shared().bootstrapServers()),
          "kvshift." + name,
          1,
          1 << 10,
          PATIENCE);

  @AfterEach
  void close() {
    store.close();
  }

  @Test
  void write_thenRead_countsEachPageWithItsPosition() throws IOException {
    ScanState read =
        ScanState.read(new DataInputStream(new ByteArrayInputStream(bytes(scanned()))));

    assertThat(read.part(0))
        .isEqualTo(new ScanPart(ScanPart.Side.SOURCE, ScanTask.of(1, 2), POSITION, false));
    assertThat(read.part(1))
        .isEqualTo(new ScanPart(ScanPart.Side.TARGET, ScanTask.of(3, 4), null, true));
    assertThat(read.source().rows()).isEqualTo(2);
    assertThat(read.target().rows()).isEqualTo(1);
    assertThat(read.source().digest()).isEqualTo(scanned().source().digest());
    assertThat(read.sketch().takeDifferences()).containsExactly(new RowDigest(9, 10, 11));
  }

  @Test
  void load_saved_isTheSame() throws IOException {
    topic.create(OptionalInt.empty(), Duration.ofHours(1));
    ScanState state = scanned();
    save(begin("first"), state);
    VerifyPass pass = ledger.require(VerifyPass.KEY);
    save(begin("second"), ScanState.begin(List.of(), 10));

    ScanState loaded = checkpoints(pass).load();
    assertThat(loaded).isNotNull();
    assertThat(bytes(loaded)).isEqualTo(bytes(state));
  }

  @Test
  void load_damagedOrMissing_isNone() {
    topic.create(OptionalInt.empty(), Duration.ofHours(1));
    VerifyPass begun = begin("run");
    save(begun, scanned());
    VerifyPass pass = ledger.require(VerifyPass.KEY);

    assertThat(checkpoints(begun).load()).isNull();
    assertThat(load(pass, c -> c(c, c.from(), c.to(), c.bytes(), c.checksum() + 1))).isNull();
    assertThat(load(pass, c -> c(c, c.from(), c.to(), c.bytes() - 1, c.checksum()))).isNull();
    assertThat(load(pass, c -> c(c, c.from() + 1, c.to(), c.bytes(), c.checksum()))).isNull();
    assertThat(load(pass, c -> c(c, c.from(), c.to() - 1, c.bytes(), c.checksum()))).isNull();
    assertThat(load(pass, c -> c(c, 1_000_000, 1_000_010, c.bytes(), c.checksum()))).isNull();
    assertThat(load(pass, c -> c(c, c.from(), c.to(), c.bytes(), c.checksum()))).isNotNull();
  }

  @Test
  void save_anotherRunHasTakenOver_isRefusedAndReplacesNothing() {
    topic.create(OptionalInt.empty(), Duration.ofHours(1));
    VerifyPass pass = begin("earlier");
    try (Checkpoints earlier = checkpoints(pass);
        Checkpoints later = checkpoints(pass.ownedBy("later"))) {
      earlier.save(scanned());
      VerifyPass saved = ledger.require(VerifyPass.KEY);
      ledger.put(VerifyPass.KEY, pass.ownedBy("later"));

      assertThatThrownBy(() -> earlier.save(scanned()))
          .isExactlyInstanceOf(KvException.Transient.class)
          .hasMessageContaining("another run compares the same collection");
      later.save(scanned());
      assertThatThrownBy(() -> earlier.conclude(result(1)))
          .isExactlyInstanceOf(KvException.Transient.class);

      assertThat(ledger.require(VerifyPass.KEY).owner()).isEqualTo("later");
      assertThat(ledger.require(VerifyPass.KEY).checkpoint()).isNotEqualTo(saved.checkpoint());
      assertThat(ledger.get(VerifyRecord.KEY)).isNull();
    }
  }

  @Test
  void conclude_ownPass_leavesTheResultAlone() {
    try (Checkpoints checkpoints = checkpoints(begin("run"))) {
      checkpoints.conclude(result(1));
    }
    assertThat(ledger.get(VerifyPass.KEY)).isNull();
    assertThat(ledger.require(VerifyRecord.KEY)).isEqualTo(result(1));
  }

  @Test
  void conclude_laterPassHasEnded_keepsItsResult() {
    ledger.put(VerifyRecord.KEY, result(2));
    try (Checkpoints checkpoints = checkpoints(begin("run"))) {
      assertThatThrownBy(() -> checkpoints.conclude(result(1)))
          .isExactlyInstanceOf(KvException.Transient.class);
    }
    assertThat(ledger.require(VerifyRecord.KEY)).isEqualTo(result(2));
  }

  @Test
  void save_again_usesTheSameProducer() throws JMException {
    topic.create(OptionalInt.empty(), Duration.ofHours(1));
    Set<ObjectName> before = producers();
    try (Checkpoints checkpoints = checkpoints(begin("run"))) {
      checkpoints.save(scanned());
      Set<ObjectName> opened = producers();
      checkpoints.save(scanned());

      assertThat(opened).hasSize(before.size() + 1);
      assertThat(producers()).isEqualTo(opened);
    }
    assertThat(producers()).isEqualTo(before);
  }

  private static Set<ObjectName> producers() throws JMException {
    return ManagementFactory.getPlatformMBeanServer()
        .queryNames(new ObjectName("kafka.producer:type=app-info,client-id=*"), null);
  }

  private static VerifyRecord result(int second) {
    return new VerifyRecord(
        new VerifyReport(
            1, 1, 0, new DifferenceCounts(0, 0, 0, 0), List.of(), Duration.ofMillis(1)),
        1,
        new VerifyRecord.Digests("00", "00"),
        Instant.EPOCH.plusSeconds(second),
        List.of(0L));
  }

  private @Nullable ScanState load(VerifyPass pass, UnaryOperator<VerifyPass.Checkpoint> damage) {
    VerifyPass.Checkpoint saved = pass.checkpoint();
    assertThat(saved).isNotNull();
    return checkpoints(pass.with(damage.apply(saved))).load();
  }

  private static VerifyPass.Checkpoint c(
      VerifyPass.Checkpoint saved, long from, long to, long bytes, long checksum) {
    return new VerifyPass.Checkpoint(saved.writer(), from, to, bytes, checksum);
  }

  private VerifyPass begin(String owner) {
    VerifyPass pass = new VerifyPass(COPY, Instant.EPOCH, 1, List.of(0L), owner, null);
    ledger.put(VerifyPass.KEY, pass);
    return pass;
  }

  private void save(VerifyPass pass, ScanState state) {
    try (Checkpoints checkpoints = checkpoints(pass)) {
      checkpoints.save(state);
    }
  }

  private Checkpoints checkpoints(VerifyPass pass) {
    return new Checkpoints(ledger, topic, pass, PATIENCE, () -> {});
  }

  private static ScanState scanned() {
    ScanState state =
        ScanState.begin(
            List.of(
                ScanPart.of(ScanPart.Side.SOURCE, ScanTask.of(1, 2)),
                ScanPart.of(ScanPart.Side.TARGET, ScanTask.of(3, 4))),
            10);
    state.add(0, List.of(ROW, new RowDigest(9, 10, 11)), POSITION);
    state.add(1, List.of(ROW), null);
    return state;
  }

  private static byte[] bytes(ScanState state) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    state.write(new DataOutputStream(out));
    return out.toByteArray();
  }
}
