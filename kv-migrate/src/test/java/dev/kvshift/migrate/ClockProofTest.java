package dev.kvshift.migrate;

import static dev.kvshift.testkit.concurrent.Await.join;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.migrate.api.ClockCertificateReport;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.internal.ledger.ClockCertificate;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.model.shard.ShardedStore;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.VersionClock;
import dev.kvshift.transition.MergePass;
import dev.kvshift.transition.MetadataGate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Without a leader, a collection leaves the merge under the certificate of its pass alone. */
final class ClockProofTest {
  private static final int ROWS = 50;

  private final String name = UUID.randomUUID().toString();
  private final Store source = store("source");
  private final Store target = store("target");
  private final MetadataGate gate = MetadataGate.of(target, Sides.COLLECTION);
  private final Ledger ledger =
      new Ledger(target.metadata(), Sides.COLLECTION, Duration.ofSeconds(30), Clock.systemUTC());
  private Intercepted.@Nullable Fault fault;

  ClockProofTest() {
    StoreCollection from = join(source.open(Sides.COLLECTION, Sides.LAYOUT, Claim.ACTIVE));
    long version = VersionClock.micros(Instant.now().minusSeconds(60));
    for (int i = 0; i < ROWS; i++) {
      Mutation put = Mutation.put(Bytes.utf8("value")).withVersion(version + i);
      join(from.write(Sides.key(i), put, Sides.call()));
    }
  }

  @AfterEach
  void close() {
    source.close();
    target.close();
  }

  @Test
  void step_outOfTheMergeEitherWay_leavesACertificate() {
    ClockMigration migration = migration();
    assertThatThrownBy(migration::certificate).isInstanceOf(KvException.Permanent.class);
    migration.step(Phase.DUAL_WRITE);
    assertThat(migration.verify().toNew()).isEqualTo(ROWS);
    migration.step(Phase.NEW_READ);
    assertThat(ledger.get(ClockCertificate.KEY)).as("a pass alone moves nothing").isNull();
    long epoch = epoch();

    migration.cutover();

    String moved = migration.certificate();
    ClockCertificateReport report = ClockMigration.verifyCertificate(moved);
    assertThat(report.isOfMove()).isTrue();
    assertThat(report.epoch()).isEqualTo(epoch);
    assertThat(report.copy())
        .isEqualTo(Objects.requireNonNull(join(gate.state()).copy()).toString());
    assertThat(report.source()).isEqualTo(source.description() + ", layout " + Sides.LAYOUT);
    assertThat(report.target()).isEqualTo(target.description() + ", layout " + Sides.LAYOUT);
    assertThat(report.counts()).isEqualTo(new MergePass.Counts(ROWS, ROWS, 2 * ROWS, 0, 0, 0));
    assertThat(lastEvent(migration)).contains("\"to\":\"new-primary\"").contains(hash(moved));
    assertThatThrownBy(migration::rollbackCertificate).isInstanceOf(KvException.Permanent.class);

    migration.rollBack();

    String back = migration.rollbackCertificate();
    assertThat(ClockMigration.verifyCertificate(back).isOfMove()).isFalse();
    assertThat(lastEvent(migration)).contains("\"to\":\"legacy\"").contains(hash(back));
    assertThat(migration.certificate()).isEqualTo(moved);

    migration.reset(false);

    assertThatThrownBy(migration::certificate).isInstanceOf(KvException.Permanent.class);
    assertThat(migration.rollbackCertificate()).isEqualTo(back);
    migration.step(Phase.NEW_ONLY);
    assertThat(migration.status().isActive()).isTrue();
    assertThat(lastEvent(migration))
        .contains("\"to\":\"new-only\"")
        .contains(hash(migration.certificate()));
  }

  @Test
  void step_takenBackByAnotherRunMeanwhile_staysBack() {
    AtomicInteger changes = new AtomicInteger();
    fault =
        (type, method, arguments, request) -> {
          if (method.equals("compareAndSet")
              && "gate/files".equals(arguments[0])
              && changes.incrementAndGet() == 3) { // it is in shadow-write, and about to go on
            fault = null;
            migration().rollBack();
          }
          return request.send();
        };

    assertThatThrownBy(() -> migration().step(Phase.NEW_READ))
        .isInstanceOf(MigrationException.CutoverRefused.class)
        .hasMessageContaining("somebody has taken it another way since, to phase legacy");

    assertThat(join(gate.state()).phase()).isEqualTo(Phase.LEGACY);
  }

  @Test
  void cutover_certificateIsNotDurable_staysInTheMerge() {
    ClockMigration migration = migration();
    migration.step(Phase.NEW_READ);
    fault =
        (type, method, arguments, request) ->
            method.equals("compareAndSet")
                    && String.valueOf(arguments[0]).endsWith("/clock-certificate")
                ? CompletableFuture.failedFuture(new KvException.Permanent("the disk is full"))
                : request.send();
    assertThatThrownBy(migration::cutover).hasMessage("the disk is full");
    assertThat(join(gate.state()).phase()).isEqualTo(Phase.NEW_READ);
    fault = null;
    migration.cutover();
    assertThat(join(gate.state()).phase()).isEqualTo(Phase.NEW_PRIMARY);
  }

  @Test
  void cutover_clockOfAStoreIsOff_staysInTheMergeAndGoesBack() {
    ClockMigration migration = migration();
    migration.step(Phase.NEW_READ);
    fault =
        (type, method, arguments, request) ->
            method.equals("serverTime")
                ? CompletableFuture.completedFuture(Instant.now().plusSeconds(2))
                : request.send();
    assertThatThrownBy(migration::cutover)
        .isInstanceOf(MigrationException.CutoverRefused.class)
        .hasMessageContaining("was not moved: the clock of the source is ");
    assertThat(join(gate.state()).phase()).isEqualTo(Phase.NEW_READ);
    migration.rollBack();
    assertThat(join(gate.state()).phase()).isEqualTo(Phase.LEGACY);
    ClockMigration.verifyCertificate(migration.rollbackCertificate());
  }

  @Test
  void finish_withoutTheCertificateOfThisMove_staysInNewPrimary() {
    ClockMigration migration = migration();
    migration.step(Phase.NEW_PRIMARY);
    ClockCertificate first = ledger.require(ClockCertificate.KEY);
    ledger.remove(ClockCertificate.KEY);
    assertThatThrownBy(migration::finish)
        .isInstanceOf(MigrationException.CutoverRefused.class)
        .hasMessageContaining("step to new-read and give the command cutover again");
    migration.step(Phase.NEW_READ);
    migration.cutover();
    assertThat(ledger.require(ClockCertificate.KEY).isAfter(first)).isTrue();
    ledger.put(ClockCertificate.KEY, first);
    assertThatThrownBy(migration::finish)
        .isInstanceOf(MigrationException.CutoverRefused.class)
        .hasMessageContaining("and the pass of its certificate was made in epoch ");
    assertThat(join(gate.state()).phase()).isEqualTo(Phase.NEW_PRIMARY);
    migration.step(Phase.NEW_READ);
    migration.step(Phase.NEW_ONLY);
    assertThat(migration.status().isActive()).isTrue();
  }

  private long epoch() {
    return join(gate.state()).epoch();
  }

  private static String lastEvent(ClockMigration migration) {
    List<String> events = migration.status().events();
    return events.get(events.size() - 1);
  }

  private static String hash(String certificate) {
    return certificate.replaceAll(".*\"sha256\":\"([0-9a-f]{64})\".*", "$1");
  }

  /** Both stores answer late, on another thread. */
  private ClockMigration migration() {
    Intercepted.Fault late =
        Intercepted.late(
            (type, method, arguments, request) ->
                fault == null ? request.send() : fault.around(type, method, arguments, request));
    return ClockMigration.of(
        MigrationPlan.builder(Sides.COLLECTION, Sides.LAYOUT)
            .source(Intercepted.of(source, late))
            .target(Intercepted.of(target, late))
            .bootstrapServers("localhost:1")
            .options(MigrationOptions.builder().dwell(Duration.ZERO).build())
            .build(),
        ProgressListener.NONE);
  }

  private Store store(String side) {
    return new ShardedStore(MemoryStoreProvider.open(side + "-" + name, Sides.LEADERLESS));
  }
}
