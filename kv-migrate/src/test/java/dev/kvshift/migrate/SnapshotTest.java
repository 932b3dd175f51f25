package dev.kvshift.migrate;

import static dev.kvshift.testkit.concurrent.Await.join;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.embedded.KafkaBroker;
import dev.kvshift.memory.MemoryOptions;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.migrate.api.CopiedSnapshot;
import dev.kvshift.migrate.api.Finding;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.api.VerifyReport;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.SnapshotRecord;
import dev.kvshift.model.Stores;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Limits;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.DBOptions;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;

/** Copies from a snapshot of the source: a copied folder of the legacy store. */
final class SnapshotTest {
  private static final int ROWS = 50;

  @TempDir private Path directory;

  private final Store target = MemoryStoreProvider.open("snapshot-" + UUID.randomUUID());

  @AfterEach
  void close() {
    target.close();
  }

  @Test
  void copy_fromASnapshot_readsNoRowOfTheSourceAndLaterChangesWin() throws IOException {
    prepare();
    clone("clone");
    try (Store source = open("store");
        Migration migration = migration(unscanned(source), snapshot("clone"))) {
      StoreCollection files = files(source);
      join(files.write(Sides.key(0), Mutation.delete(), Sides.call()));
      write(files, 1, "newer");
      write(files, ROWS, "later");
      migration.catchUp();

      assertThat(migration.copy().counts().read()).isEqualTo(ROWS);
      assertThat(migration.copy().snapshot()).isEqualTo(new CopiedSnapshot(string("clone"), ROWS));
      assertThat(value(0)).isNull();
      assertThat(value(1)).isEqualTo("newer");
      assertThat(value(2)).isEqualTo("value-2");
      assertThat(value(ROWS)).isEqualTo("later");
      assertThat(migration.status().copy().snapshot())
          .isEqualTo(new CopiedSnapshot(string("clone"), ROWS));
    }
    try (Store source = open("store");
        Migration migration = migration(source, snapshot("clone"))) {
      migration.run();
      assertThat(migration.certificate())
          .contains(
              "\"snapshot\":{\"store\":\""
                  + string("clone")
                  + "\",\"position\":"
                  + ROWS
                  + ",\"logId\":\"");
      assertThat(Migration.verifyCertificate(migration.certificate()).snapshot())
          .isEqualTo(new CopiedSnapshot(string("clone"), ROWS));
    }
  }

  @Test
  void copy_snapshotOlderThanTheStream_isRefusedWithBothPositions() throws IOException {
    fillStore();
    clone("clone");
    try (Store source = open("store")) {
      write(files(source), ROWS, "in neither");
    }
    prepare();
    assertRefused(
        snapshot("clone"),
        "collection files is not copied from "
            + string("clone")
            + ": it ends at position 50, and the stream began after position 51",
        "take the snapshot after 'prepare'");
    assertThat(ledger().get(SnapshotRecord.KEY)).isNull();
  }

  @Test
  void copy_snapshotOfAnotherStore_isRefusedWithBothLogs() throws IOException {
    prepare();
    String origin;
    String other;
    try (Store source = open("store");
        Store another = open("other")) {
      for (int i = 0; i <= ROWS; i++) {
        write(files(another), i, "other");
      }
      origin = join(files(source).changes().logId(0));
      other = join(files(another).changes().logId(0));
    }
    assertRefused(
        snapshot("other"),
        "a snapshot of another store or collection, whose change log is " + other,
        "not " + origin);
  }

  @Test
  void copy_snapshotWithAnotherNumberOfPartitions_isRefused() throws IOException {
    prepare();
    clone("clone");
    assertRefused(
        () -> Stores.open("legacy+file://" + directory.resolve("clone") + "?partitions=16"),
        "was created with 8 partitions, not 16");
  }

  @Test
  void copy_snapshotWithoutAChangeLog_isRefused() throws IOException {
    prepare();
    MemoryOptions options = MemoryOptions.defaults().without(Capability.CHANGE_SOURCE);
    assertRefused(
        () -> MemoryStoreProvider.open("snapshot-of-" + UUID.randomUUID(), options),
        "it has no CHANGE_SOURCE, so nothing proves what it is a snapshot of");
  }

  @Test
  void copy_snapshotThatWasWrittenTo_isRefused() throws IOException {
    prepare();
    clone("ahead");
    clone("diverged");
    for (String folder : List.of("ahead", "diverged")) {
      try (Store clone = open(folder)) {
        write(files(clone), 0, "nobody's");
      }
    }
    assertRefused(
        snapshot("ahead"), "somebody has written to it since it was taken", "51", "none yet");
    try (Store source = open("store")) {
      write(files(source), 1, "the source's own position 51");
    }
    assertRefused(snapshot("diverged"), "somebody has written to it since it was taken", "51");
  }

  @Test
  void copy_snapshotThatIsWrittenToMeanwhile_countsNothingAndTheComparisonFindsIt()
      throws IOException {
    prepare();
    clone("clone");
    AtomicBoolean isWritten = new AtomicBoolean();
    Supplier<Store> served =
        () -> {
          Store clone = open("clone");
          return Intercepted.of(
              clone,
              (type, method, arguments, request) -> {
                if (method.equals("scan")) {
                  synchronized (isWritten) {
                    if (isWritten.compareAndSet(false, true)) {
                      for (int i = 0; i < ROWS; i++) {
                        write(files(clone), i, "nobody's");
                      }
                    }
                  }
                }
                return request.send();
              });
        };
    assertRefused(served, "somebody has written to it since it was taken");
    assertThat(isWritten).isTrue();
    try (Store source = open("store");
        Migration migration = migration(source, served)) {
      assertThat(migration.status().copy().tasksDone()).isZero();
      assertThat(migration.status().copy().counts().read()).isZero();
    }
    clone("another");
    try (Store source = open("store");
        Migration migration = migration(source, snapshot("another"))) {
      migration.copy();
      VerifyReport found = migration.verify();
      assertThat(found.differences()).isPositive();
      assertThat(found.foreign()).isEqualTo(found.differences());
      assertThat(migration.repair().repaired()).isEqualTo(found.differences());
      assertThat(migration.verify().differences()).isZero();
      for (int i = 0; i < ROWS; i++) {
        assertThat(value(i)).isEqualTo("value-" + i);
      }
    }
  }

  @Test
  void copy_sourceItselfAsItsSnapshot_isACopyOfTheSource() throws IOException {
    prepare();
    try (Store source = open("store");
        Migration migration = migration(source, snapshot("store"))) {
      write(files(source), ROWS, "while it is copied");
      migration.copy();
      migration.catchUp();
      assertThat(migration.verify().differences()).isZero();
      assertThat(value(ROWS)).isEqualTo("while it is copied");
    }
  }

  @Test
  void verify_snapshotThatLacksRows_findsThemAndRepairBringsThem() throws Exception {
    prepare();
    clone("clone");
    assertThat(lose("clone", "key-7", "key-23")).isEqualTo(2);
    try (Store source = open("store");
        Migration migration = migration(source, snapshot("clone"))) {
      assertThat(migration.copy().counts().read()).isEqualTo(ROWS - 2);
      migration.catchUp();
      assertThat(value(7)).isNull();
      VerifyReport found = migration.verify();
      assertThat(found.counts().missing()).isEqualTo(2);
      assertThat(found.differences()).isEqualTo(2);
      assertThat(migration.repair().repaired()).isEqualTo(2);
      assertThat(migration.verify().differences()).isZero();
      assertThat(value(7)).isEqualTo("value-7");
      assertThat(value(23)).isEqualTo("value-23");
    }
  }

  @Test
  void copy_targetThatMayHaveForgottenDeletes_isRefused() throws IOException {
    prepare();
    clone("clone");
    try (Store source = open("store")) {
      MigrationPlan plan = plan(source, snapshot("clone"));
      try (Migration migration =
          Migration.of(
              plan.toBuilder().target(remembering(Duration.ZERO)).build(), ProgressListener.NONE)) {
        assertThatThrownBy(migration::copy)
            .isInstanceOf(KvException.Permanent.class)
            .hasMessageContaining("is no longer copied from its snapshot")
            .hasMessageContaining("raise gc_grace_seconds");
        assertThat(migration.status().copy().counts().read()).isZero();
      }
      try (Migration migration =
          Migration.of(
              plan.toBuilder().target(remembering(Duration.ofHours(1))).build(),
              ProgressListener.NONE)) {
        assertThat(migration.copy().counts().written()).isEqualTo(ROWS);
      }
    }
  }

  @Test
  void copy_fromSeveralSnapshots_namesTheOldest() throws IOException {
    prepare();
    clone("first");
    try (Store source = open("store")) {
      write(files(source), ROWS, "between the snapshots");
    }
    clone("second");
    assertThatThrownBy(() -> copy(unreadable("second"))).hasMessageContaining("a bad disk");
    assertThat(ledger().require(SnapshotRecord.KEY).position()).isEqualTo(51);
    assertThatThrownBy(() -> copy(unreadable("first"))).hasMessageContaining("a bad disk");
    assertThat(ledger().require(SnapshotRecord.KEY).position()).isEqualTo(50);
    copy(snapshot("second"));
    assertThat(ledger().require(SnapshotRecord.KEY).position()).isEqualTo(50);
    try (Store source = open("store");
        Migration migration = migration(source, snapshot("second"))) {
      migration.reset();
    }
    assertThat(ledger().get(SnapshotRecord.KEY)).isNull();
  }

  @Test
  void check_snapshot_isLookedAtOncePreparedAndUntilItIsCopied() throws IOException {
    fillStore();
    clone("old");
    try (Store source = open("store")) {
      assertThat(finding(source, snapshot("old")).evidence())
          .isEqualTo(
              "the copy reads one, which has to be taken after 'prepare'; not looked at before");
      write(files(source), ROWS, "in neither");
    }
    prepare();
    clone("clone");
    try (Store source = open("store")) {
      Finding old = finding(source, snapshot("old"));
      assertThat(old.level()).isEqualTo(Finding.Level.BLOCKER);
      assertThat(old.evidence()).contains("it ends at position 50");
      Finding good = finding(source, snapshot("clone"));
      assertThat(good.level()).isEqualTo(Finding.Level.OK);
      assertThat(good.evidence())
          .isEqualTo(string("clone") + " at position 51, after the stream began at 51");
    }
    copy(snapshot("clone"));
    try (Store source = open("store")) {
      assertThat(finding(source, snapshot("old")).evidence())
          .isEqualTo("the copy has read " + string("clone") + " at position 51");
    }
  }

  @Test
  void of_sourceWithoutALeader_refusesTheSettingByItsName() {
    try (Store source = MemoryStoreProvider.open("led-" + UUID.randomUUID(), Sides.LEADERLESS)) {
      MigrationPlan plan = plan(source, () -> source);
      assertThatThrownBy(() -> ClockMigration.of(plan, ProgressListener.NONE))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("has 'copyFrom', and its old store has no leader")
          .hasMessageContaining("remove 'copyFrom'");
      assertThat(Preflight.check(plan))
          .filteredOn(finding -> finding.level() == Finding.Level.BLOCKER)
          .extracting(Finding::remedy)
          .contains("remove 'copyFrom'");
    }
  }

  private Finding finding(Store source, Supplier<Store> snapshot) {
    return Preflight.check(plan(source, snapshot)).stream()
        .filter(finding -> finding.what().equals("snapshot"))
        .findFirst()
        .orElseThrow();
  }

  private void copy(Supplier<Store> snapshot) {
    try (Store source = open("store");
        Migration migration = migration(source, snapshot)) {
      migration.copy();
    }
  }

  private void assertRefused(Supplier<Store> snapshot, String... parts) {
    try (Store source = open("store");
        Migration migration = migration(source, snapshot)) {
      assertThatThrownBy(migration::copy)
          .isInstanceOf(KvException.Permanent.class)
          .satisfies(refusal -> assertThat(refusal.getMessage()).contains(parts));
      assertThat(migration.status().copy().tasksDone()).isZero();
    }
  }

  private void fillStore() {
    try (Store source = open("store")) {
      StoreCollection files = files(source);
      for (int i = 0; i < ROWS; i++) {
        write(files, i, "value-" + i);
      }
    }
  }

  /** Fills the store, unless it is filled, and prepares the migration. */
  private void prepare() {
    if (!Files.exists(directory.resolve("store"))) {
      fillStore();
    }
    try (Store source = open("store");
        Migration migration = migration(source, snapshot("none"))) {
      migration.prepare();
    }
  }

  private Supplier<Store> snapshot(String folder) {
    return () -> open(folder);
  }

  private Supplier<Store> unreadable(String folder) {
    return () ->
        Intercepted.of(
            open(folder),
            (type, method, arguments, request) ->
                method.equals("scan")
                    ? CompletableFuture.failedFuture(new KvException.Permanent("a bad disk"))
                    : request.send());
  }

  /** Returns the source with an error in place of each row that is scanned. */
  private static Store unscanned(Store source) {
    return Intercepted.of(
        source,
        (type, method, arguments, request) ->
            method.equals("scan")
                ? CompletableFuture.failedFuture(new KvException.Permanent("scanned"))
                : request.send());
  }

  /** Returns the target, which says that it remembers deletes for so long. */
  private Store remembering(Duration lifetime) {
    return Intercepted.of(
        target,
        new Intercepted.Fault() {
          @Override
          public CompletionStage<?> around(
              Class<?> type, String method, Object[] arguments, Intercepted.Request request) {
            return request.send();
          }

          @Override
          public Object answered(String method, Object answer) {
            return answer instanceof Limits limits
                ? limits.withTombstoneLifetime(lifetime)
                : answer;
          }
        });
  }

  private MigrationPlan plan(Store source, Supplier<Store> snapshot) {
    return MigrationPlan.builder(Sides.COLLECTION, Sides.LAYOUT)
        .source(source)
        .target(target)
        .copyFrom(snapshot)
        .bootstrapServers(KafkaBroker.shared().bootstrapServers())
        .options(Sides.options(Sides.PATIENT))
        .build();
  }

  private Migration migration(Store source, Supplier<Store> snapshot) {
    return Migration.of(plan(source, snapshot), ProgressListener.NONE);
  }

  private Ledger ledger() {
    return new Ledger(
        target.metadata(), Sides.COLLECTION, Duration.ofSeconds(30), Clock.systemUTC());
  }

  private Store open(String folder) {
    return Stores.open(string(folder));
  }

  private String string(String folder) {
    return "legacy+file://" + directory.resolve(folder) + "?partitions=8";
  }

  private static StoreCollection files(Store store) {
    return join(store.open(Sides.COLLECTION, Sides.LAYOUT, Claim.ACTIVE));
  }

  private static void write(StoreCollection files, int number, String value) {
    join(files.write(Sides.key(number), Mutation.put(Bytes.utf8(value)), Sides.call()));
  }

  /** Returns what the target has; null if nothing. */
  private @Nullable String value(int number) {
    StoreCollection to = join(target.open(Sides.COLLECTION, Sides.LAYOUT, Claim.NONE));
    Row row =
        dev.kvshift.testkit.concurrent.Await.<@Nullable Row>join(
            to.get(Sides.key(number), Sides.call()));
    return row == null || row.isTombstone() ? null : Objects.requireNonNull(row.value()).toUtf8();
  }

  /** Copies the folder of the closed store. */
  private void clone(String name) throws IOException {
    Path source = directory.resolve("store");
    try (Stream<Path> files = Files.walk(source)) {
      for (Path file : files.toList()) {
        Files.copy(file, directory.resolve(name).resolve(source.relativize(file).toString()));
      }
    }
  }

  /** Deletes rows of a folder beneath its change log, by their clustering keys. */
  private int lose(String folder, String... keys) throws RocksDBException {
    String path = directory.resolve(folder).toString();
    List<ColumnFamilyDescriptor> families = new ArrayList<>();
    try (Options options = new Options()) {
      RocksDB.listColumnFamilies(options, path)
          .forEach(name -> families.add(new ColumnFamilyDescriptor(name)));
    }
    List<ColumnFamilyHandle> handles = new ArrayList<>();
    int lost = 0;
    try (DBOptions options = new DBOptions();
        RocksDB rocks = RocksDB.open(options, path, families, handles)) {
      for (ColumnFamilyHandle family : handles) {
        if (!new String(family.getName(), StandardCharsets.UTF_8).equals("rows")) {
          continue;
        }
        List<byte[]> found = new ArrayList<>();
        try (RocksIterator rows = rocks.newIterator(family)) {
          for (rows.seekToFirst(); rows.isValid(); rows.next()) {
            String text = new String(rows.key(), StandardCharsets.ISO_8859_1);
            if (Stream.of(keys).anyMatch(text::endsWith)) {
              found.add(rows.key());
            }
          }
        }
        for (byte[] key : found) {
          rocks.delete(family, key);
          lost++;
        }
      }
      handles.forEach(ColumnFamilyHandle::close);
    }
    return lost;
  }
}
