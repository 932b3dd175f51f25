package dev.kvshift.migrate.internal.ledger;

import static dev.kvshift.testkit.fixture.TestCopy.COPY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.migrate.api.CopyCounts;
import dev.kvshift.migrate.api.DifferenceCounts;
import dev.kvshift.migrate.api.Failure;
import dev.kvshift.migrate.api.RunEnd;
import dev.kvshift.migrate.api.ScanRate;
import dev.kvshift.migrate.api.TaskKind;
import dev.kvshift.migrate.api.VerifyReport;
import dev.kvshift.migrate.api.Way;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.context.StoreClocks;
import dev.kvshift.spi.ClockSkew;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.Store;
import dev.kvshift.transition.MergePass;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Records, as runners have written them, still mean the same. */
final class RecordsTest {
  private static final Layout LAYOUT = Layout.parse("range;shard=bits=4;encoding=1");
  private static final VerifyRecord VERIFIED =
      new VerifyRecord(
          new VerifyReport(399, 399, 0, DifferenceCounts.NONE, List.of(), Duration.ofMillis(5_099)),
          401,
          new VerifyRecord.Digests(
              "79ad57a3369cac241d1250550db9fd4e", "79ad57a3369cac241d1250550db9fd4e"),
          Instant.parse("2026-11-28T05:54:52.228587208Z"),
          List.of(1L, 1L, 1L, 1L));
  private static final Certificate BEFORE_FENCE =
      new Certificate(
          new Certificate.Subject("files", LAYOUT, 1, "kvshift.files.1.d5bbab37", 401, null),
          VERIFIED,
          new Certificate.Copied(
              0, 0, new CopyCounts(400, 399, new CopyCounts.Skipped(1, 0), 0, 1795845279348573L)),
          0,
          List.of(),
          new Certificate.Horizons(1, 404, 0, Duration.ofDays(7), null),
          null,
          null,
          null);

  private static final Certificate.SealCheck SEAL =
      new Certificate.SealCheck(
          5,
          404,
          new Certificate.Tail(1, 0),
          Instant.parse("2026-11-28T05:54:52.900060864Z"),
          null);

  private static final SnapshotRecord SNAPSHOT =
      new SnapshotRecord("legacy://clone:7400", 401, "log-at-401");

  private final Store store = MemoryStoreProvider.open(UUID.randomUUID().toString());

  @AfterEach
  void close() {
    store.close();
  }

  static Stream<Arguments> records() {
    CutoverRecord attempt = CutoverRecord.begin("9853365a-2a8c-4250-b0f5-88fc0bdfebdb", 1);
    return Stream.of(
        record("config-without-topic", MigrationConfig.KEY, config(null)),
        record("config", MigrationConfig.KEY, config("z5l4ebF-TBGHbpWjyyGN4g")),
        record(
            "stream-begun", StreamProgress.KEY, new StreamProgress(401, 401, null, null, null, 0)),
        record(
            "stream",
            StreamProgress.KEY,
            new StreamProgress(401, 402, null, Instant.parse("2126-11-04T05:54:52Z"), null, 0)),
        record(
            "stream-counted",
            StreamProgress.KEY,
            new StreamProgress(
                401,
                402,
                "4e1f-1",
                null,
                List.of(ChangeCount.NONE, new ChangeCount(402, 1, 402)),
                0)),
        record(
            "stream-version",
            StreamProgress.KEY,
            new StreamProgress(
                401,
                402,
                "4e1f-1",
                null,
                List.of(ChangeCount.NONE, new ChangeCount(402, 1, 402)),
                1_795_000_000_000_000L)),
        record("copy", CopyPlan.KEY, new CopyPlan(16)),
        record("copy-tasks", new CopyPlan(16).part(0), copyTasks()),
        record("copy-with-id", CopyPlan.KEY, new CopyPlan("53b6", 130, 2)),
        record("copy-tasks-held", new CopyPlan("53b6", 130, 2).part(7), heldCopyTasks()),
        record("copy-tasks-left", new CopyPlan("53b6", 130, 2).part(8), leftCopyTasks()),
        record(
            "task-verify",
            TaskRecord.key(TaskKind.VERIFY),
            new TaskRecord(
                new TaskState(
                    TaskState.Status.DONE,
                    "runner-1-4711-09ab",
                    2,
                    40,
                    Duration.ofSeconds(10),
                    0,
                    "",
                    null),
                800,
                800,
                null,
                "")),
        record(
            "paused",
            Pause.KEY,
            Pause.until("jane", Instant.parse("2026-11-28T05:54:43.126018408Z"))),
        record(
            "reset",
            ResetRecord.KEY,
            new ResetRecord(
                Copy.parse("00112233445566778899aabbccddeeff@log-1"),
                Copy.parse("ffeeddccbbaa99887766554433221100@log-1"),
                3,
                "kvshift.files.3.1a2b3c4d",
                "5fTlpXJ6TRaMVpX9rLr6Ow",
                true)),
        record(
            "task-cutover-held",
            TaskRecord.key(TaskKind.CUTOVER),
            new TaskRecord(
                new TaskState(
                    TaskState.Status.FAILED,
                    "runner-1-4711-09ab",
                    2,
                    40,
                    Duration.ofSeconds(10),
                    1,
                    "not compared",
                    Failure.REFUSED),
                0,
                0,
                new Aim(
                    Phase.NEW_ONLY,
                    Phase.LEGACY,
                    7,
                    Set.of("batch"),
                    List.of("files", "users"),
                    new Aim.Hold(Instant.parse("2026-11-29T02:30:00Z"), 3),
                    null),
                "")),
        record(
            "task-run",
            TaskRecord.key(TaskKind.RUN),
            new TaskRecord(
                new TaskState(
                    TaskState.Status.RUNNING,
                    "runner-1-4711-09ab",
                    2,
                    40,
                    Duration.ofSeconds(10),
                    0,
                    "",
                    null),
                0,
                0,
                new Aim(
                    Phase.NEW_PRIMARY,
                    Phase.LEGACY,
                    7,
                    Set.of("batch"),
                    List.of(),
                    null,
                    new Aim.Run(
                        "6f1c6c3e",
                        Way.DUAL_WRITE,
                        RunEnd.WAY_BACK,
                        3,
                        Copy.parse("00112233445566778899aabbccddeeff@log-1"))),
                "stage 3 of 6, step to shadow-read")),
        record(
            "merge-pass",
            MergeRecord.KEY,
            new MergeRecord(
                COPY,
                4,
                Instant.parse("2026-11-28T05:50:01.5Z"),
                new MergePass.Position(
                    false,
                    ScanTask.of(Long.MIN_VALUE, -8_070_450_532_247_928_833L),
                    Bytes.fromHex("010203"),
                    new MergePass.Counts(1_000, 0, 297, 3, 700, 0)),
                null)),
        record(
            "merge-pass-ended",
            MergeRecord.KEY,
            endedPass("2026-11-28T05:50:01.5Z", "2026-11-28T05:54:43.126018408Z")),
        record(
            "certificate-back",
            Certificate.BACK,
            complete()
                .with(
                    new Certificate.Back(
                        complete().hash(),
                        1795845292868779L,
                        endedPass("2026-11-28T05:55:53Z", "2026-11-28T05:56:43.126018408Z"),
                        "jane",
                        "db-1"))),
        record("clock-certificate", ClockCertificate.KEY, provedByClocks()),
        record("rates", Rates.KEY, new Rates(ScanRate.rowsPerSecond(5_000))),
        record("rates-unlimited", Rates.KEY, new Rates(ScanRate.unlimited())),
        record("verify-pass-begun", VerifyPass.KEY, pass()),
        record(
            "verify-pass",
            VerifyPass.KEY,
            pass()
                .with(
                    new VerifyPass.Checkpoint(
                        "d9d13906-3336-4785-8f49-ac8b5b3e0fa2", 17, 25, 294_912, 3_735_928_559L))),
        record("verify-pass-owned", VerifyPass.KEY, pass().ownedBy("9853365a")),
        record("verify", VerifyRecord.KEY, VERIFIED),
        record("verify-differences", VerifyRecord.KEY, verifiedWithDifferences()),
        record(
            "quarantine",
            QuarantinedKey.ALL.in("61ae"),
            new QuarantinedKey(
                1795845119239941L,
                "too large",
                2,
                Bytes.fromHex("0100000005726f772d37000000006b65792d37"),
                0)),
        record(
            "quarantine-long-key",
            QuarantinedKey.ALL.in("d5cd"),
            new QuarantinedKey(1795845123077118L, "too large", 0, null, 0)),
        record(
            "quarantine-key-in-parts",
            QuarantinedKey.ALL.in("d5ce"),
            new QuarantinedKey(1795845123077118L, "too large", 7, null, 3)),
        record(
            "accepted-loss",
            AcceptedLoss.ALL.in("61ae"),
            new AcceptedLoss(
                new QuarantinedKey(
                    1795845119239941L,
                    "too large",
                    2,
                    Bytes.fromHex("0100000005726f772d37000000006b65792d37"),
                    0),
                OptionalLong.of(1795845119000000L),
                "jane",
                "db-1",
                Instant.parse("2026-11-28T05:54:43.126018408Z"))),
        record(
            "accepted-loss-absent",
            AcceptedLoss.ALL.in("d5ce"),
            new AcceptedLoss(
                new QuarantinedKey(1795845123077118L, "too large", 7, null, 3),
                OptionalLong.empty(),
                "jane",
                "db-1",
                Instant.parse("2026-11-28T05:54:43.126018408Z"))),
        record(
            "certificate-losses", Certificate.KEY, complete().withLosses(List.of("61ae", "d5ce"))),
        record(
            "cutover-attempt",
            CutoverRecord.KEY,
            CutoverRecord.begin("d9d13906-3336-4785-8f49-ac8b5b3e0fa2", 1)),
        record(
            "cutover", CutoverRecord.KEY, attempt.moved(1795845292868779L, Duration.ofMillis(34))),
        record("certificate-before-fence", Certificate.KEY, BEFORE_FENCE),
        record(
            "certificate",
            Certificate.KEY,
            BEFORE_FENCE.with(
                new Certificate.FenceCheck(
                    "9853365a-2a8c-4250-b0f5-88fc0bdfebdb",
                    1795845292868779L,
                    405,
                    4,
                    new Certificate.Tail(1, 0),
                    null,
                    Instant.parse("2026-11-28T05:54:52.900060864Z")),
                0)),
        record("certificate-complete", Certificate.KEY, complete()),
        record("certificate-snapshot", Certificate.KEY, fromSnapshot()),
        record("snapshot", SnapshotRecord.KEY, SNAPSHOT),
        record("certificate-before-seal", Certificate.KEY, complete().with(SEAL, 0)),
        record(
            "certificate-sealed",
            Certificate.KEY,
            complete()
                .with(
                    SEAL.drained(
                        new Certificate.Drained(
                            1795845292868779L,
                            405,
                            Instant.parse("2026-11-28T05:54:53.100060864Z"))),
                    0)));
  }

  private static ClockCertificate provedByClocks() {
    return new ClockCertificate(
        new ClockCertificate.Subject(
            "files",
            new ClockCertificate.Side(
                "scylla://db-1/files", Layout.parse("range;shard=none;encoding=1")),
            new ClockCertificate.Side("scylla://db-2/files", LAYOUT),
            1,
            COPY),
        new ClockCertificate.Entered(Phase.NEW_READ, 4, 4, 12, Duration.ofMillis(3)),
        endedPass("2026-11-28T05:50:01.5Z", "2026-11-28T05:54:43.126018408Z"),
        new StoreClocks(
            ClockSkew.of(Duration.ofMillis(4), Duration.ofMillis(1)),
            ClockSkew.of(Duration.ZERO, Duration.ofMillis(1))),
        "jane",
        "db-1");
  }

  private static MergeRecord endedPass(String began, String ended) {
    return new MergeRecord(
        COPY,
        4,
        Instant.parse(began),
        new MergePass.Position(
            true,
            ScanTask.of(8_070_450_532_247_928_832L, Long.MAX_VALUE),
            null,
            new MergePass.Counts(9_998, 10_002, 9_997, 3, 9_999, 1)),
        Instant.parse(ended));
  }

  private static Certificate fromSnapshot() {
    Certificate live = complete();
    Certificate.Copied copied = Objects.requireNonNull(live.copy());
    return new Certificate(
        live.subject(),
        live.verify(),
        new Certificate.Copied(copied.tasks(), copied.tasksDone(), copied.counts(), SNAPSHOT),
        live.quarantined(),
        live.losses(),
        live.horizons(),
        live.clocks(),
        live.last(),
        live.back());
  }

  private static Certificate complete() {
    Certificate.Identity identity = new Certificate.Identity(COPY, "log", "z5l4ebF-TBGHbpWjyyGN4g");
    return new Certificate(
            new Certificate.Subject("files", LAYOUT, 1, "kvshift.files.1.d5bbab37", 401, identity),
            VERIFIED,
            new Certificate.Copied(
                16,
                16,
                new CopyCounts(400, 399, new CopyCounts.Skipped(1, 0), 0, 1795845279348573L)),
            1,
            List.of(),
            new Certificate.Horizons(1, 404, 404, Duration.ofDays(7), null),
            new StoreClocks(
                ClockSkew.of(Duration.ofMillis(-4), Duration.ofMillis(1)),
                ClockSkew.of(Duration.ZERO, Duration.ofMillis(7).dividedBy(2))),
            null,
            null)
        .with(
            new Certificate.FenceCheck(
                "9853365a-2a8c-4250-b0f5-88fc0bdfebdb",
                1795845292868779L,
                405,
                4,
                new Certificate.Tail(1, 0),
                new Certificate.Requested(
                    Instant.parse("2026-11-28T05:54:52.868Z"),
                    Instant.parse("2026-11-28T05:54:52.870Z")),
                Instant.parse("2026-11-28T05:54:52.900060864Z")),
            0);
  }

  private static <T> Arguments record(String file, LedgerKey<T> key, T expected) {
    return Arguments.of(file, key, expected);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("records")
  <T> void get_recordOfEachFormat_isRead(String file, LedgerKey<T> key, T expected) {
    write("files", key, text(file));

    assertThat(ledger("files").require(key)).isEqualTo(expected);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("records")
  <T> void put_recordOfEachFormat_isPrintedAsEver(String file, LedgerKey<T> key, T expected) {
    ledger("files").put(key, expected);

    assertThat(read("files", key)).isEqualTo(text(file));
  }

  @ParameterizedTest
  @ValueSource(strings = {"prepare", "phase", "fence", "lifted", "seal", "moved", "repair", "drop"})
  void forEach_eventOfFormat1_isReadAndPrintedAsEver(String what) {
    LedgerKey<Event> key = Event.ALL.in("0001795845292-361019058");
    write("files", key, text("event-" + what));

    List<Event> events = new ArrayList<>();
    ledger("files").forEach(Event.ALL, (name, found) -> events.add(found));
    Event event = events.get(0);

    assertThat(event).hasToString(text("event-" + what).replace("\"format\":1,", ""));
    ledger("others").put(key, event);
    assertThat(read("others", key)).isEqualTo(text("event-" + what));
  }

  @Test
  void get_certificateThatWasChanged_isRefused() {
    write("files", Certificate.KEY, text("certificate").replace("\"missing\":0", "\"missing\":1"));

    assertThatThrownBy(() -> ledger("files").get(Certificate.KEY))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessage("the record migration/files/certificate cannot be read");
  }

  @Test
  void get_newerFormat_isRefused() {
    write("files", CopyPlan.KEY, "{\"format\":3,\"tasks\":16}");

    assertThatThrownBy(() -> ledger("files").get(CopyPlan.KEY))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessage("the record migration/files/copy has a newer format: use a newer kvshift");
  }

  @Test
  void get_damagedRecord_isRefused() {
    for (String damaged :
        List.of("", "7", "{}", "{\"format\":1}", "{\"format\":1,\"tasks\":\"many\"}")) {
      Bytes bytes = Bytes.utf8(damaged);
      String name = "migration/" + damaged.length() + "/copy";
      Await.of(store.metadata().compareAndSet(name, null, bytes));

      assertThatThrownBy(() -> ledger("" + damaged.length()).get(CopyPlan.KEY))
          .as(damaged)
          .isInstanceOf(KvException.Permanent.class)
          .hasMessage("the record " + name + " cannot be read");
    }
  }

  private static MigrationConfig config(@Nullable String topicId) {
    return new MigrationConfig(
        LAYOUT,
        1,
        null,
        "memory://source-bf0fd741-4886-4ede-9ca3-76c8866e926a",
        new MigrationConfig.Topic("kvshift.files.1.d5bbab37", 4, Duration.ofDays(7), topicId),
        Instant.parse("2026-11-28T05:54:43.126018408Z"));
  }

  private static CopyTaskGroup heldCopyTasks() {
    return new CopyTaskGroup(
        List.of(CopyTask.of(ScanTask.of(1, 2))),
        new TaskState(
            TaskState.Status.RUNNING,
            "runner-1-4711-09ab",
            3,
            17,
            Duration.ofSeconds(10),
            1,
            "the target does not answer",
            null));
  }

  private static CopyTaskGroup copyTasks() {
    return new CopyTaskGroup(
        List.of(
            new CopyTask(
                ScanTask.of(-5764607523034234883L, -4611686018427387908L),
                null,
                true,
                new CopyCounts(33, 30, new CopyCounts.Skipped(1, 2), 0, 1795845119262190L)),
            new CopyTask(
                ScanTask.of(-4611686018427387908L, -3458764513820540933L),
                Bytes.fromHex("00000005726f772d376b65792d37"),
                false,
                new CopyCounts(100, 99, new CopyCounts.Skipped(0, 0), 1, 1795845119263001L)),
            CopyTask.of(ScanTask.of(-3458764513820540933L, -2305843009213693958L))));
  }

  private static CopyTaskGroup leftCopyTasks() {
    CopyCounts.LeftToExpire left =
        new CopyCounts.LeftToExpire(7, Instant.parse("2026-12-04T05:54:43.126Z"));
    CopyCounts counts = new CopyCounts(9, 2, new CopyCounts.Skipped(0, 0, left), 0, 7);
    return new CopyTaskGroup(List.of(new CopyTask(ScanTask.of(1, 2), null, true, counts)));
  }

  private static VerifyPass pass() {
    return new VerifyPass(
        COPY, Instant.parse("2026-11-28T05:52:16.478379577Z"), 522, List.of(132L, 123L), "", null);
  }

  private static VerifyRecord verifiedWithDifferences() {
    return new VerifyRecord(
        new VerifyReport(
            400, 398, 2, new DifferenceCounts(2, 0, 0, 0), List.of(), Duration.ofMillis(8_306)),
        522,
        new VerifyRecord.Digests(
            "b243c5b8e350f86e35c7c1186c50ad88", "084ebbb55b104d583ad413fe634d2991"),
        Instant.parse("2026-11-28T05:52:16.478379577Z"),
        List.of(132L, 123L, 108L, 114L));
  }

  private Ledger ledger(String collection) {
    return new Ledger(store.metadata(), collection, Duration.ofSeconds(5), Clock.systemUTC());
  }

  private void write(String collection, LedgerKey<?> key, String text) {
    Await.of(
        store
            .metadata()
            .compareAndSet("migration/" + collection + "/" + key.name(), null, Bytes.utf8(text)));
  }

  private String read(String collection, LedgerKey<?> key) {
    Bytes bytes = Await.of(store.metadata().get("migration/" + collection + "/" + key.name()));
    return Objects.requireNonNull(bytes).toUtf8();
  }

  private static String text(String file) {
    try (InputStream in =
        Objects.requireNonNull(RecordsTest.class.getResourceAsStream(file + ".json"), file)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }
}
