package dev.kvshift.demo.run;

import dev.kvshift.KvStore;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.demo.catalog.CatalogCollection;
import dev.kvshift.demo.catalog.CatalogKey;
import dev.kvshift.demo.catalog.ClassFileCatalog;
import dev.kvshift.demo.input.CatalogLoader;
import dev.kvshift.demo.input.ClassFileReader;
import dev.kvshift.demo.progress.ProgressLines;
import dev.kvshift.demo.server.DemoServers;
import dev.kvshift.demo.writer.CutoverTimes;
import dev.kvshift.demo.writer.JournalCheck;
import dev.kvshift.demo.writer.JournalFindings;
import dev.kvshift.demo.writer.LiveWriter;
import dev.kvshift.demo.writer.WriterCounts;
import dev.kvshift.migrate.Comparison;
import dev.kvshift.migrate.Migration;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.MigrationResult;
import dev.kvshift.migrate.api.VerifyReport;
import dev.kvshift.migrate.api.Way;
import dev.kvshift.model.Stores;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.transition.MergePass;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A whole migration of real data under a live writer, and its proof. The proof has two independent
 * parts:
 *
 * <ol>
 *   <li>All rows of both stores are compared, except the keys that were written after the old store
 *       had stopped, which only the target has.
 *   <li>Every key of the live writer is read on the target and compared with its journal, which the
 *       migration never sees.
 * </ol>
 *
 * <p>Used once, by one thread.
 */
public final class Demo {
  /** The time that each phase lasts before a step up. It is short, since a newcomer waits. */
  private static final Duration DWELL = Duration.ofSeconds(1);

  /** The leader issues versions at most this far ahead of its clock. */
  private static final Duration MAX_FLOOR_AHEAD = Duration.ofSeconds(1);

  private final DemoServers servers;
  private final Path folder;
  private final DemoOptions options;
  private final ProgressLines progress;
  private final Consumer<Store> beforeCheck;
  private final Map<String, Duration> steps = new LinkedHashMap<>();

  /**
   * Creates a demo.
   *
   * @param folder the folder of the live writer's journals
   * @param beforeCheck receives the target after the migration and before the checks, so that tests
   *     can break it
   */
  public Demo(
      DemoServers servers,
      Path folder,
      DemoOptions options,
      ProgressLines progress,
      Consumer<Store> beforeCheck) {
    this.servers = servers;
    this.folder = folder;
    this.options = options;
    this.progress = progress;
    this.beforeCheck = beforeCheck;
  }

  /** A collection after its migration. */
  private record Migrated(
      MigrationResult result, CutoverTimes cutover, MergePass.@Nullable Counts wayBack) {}

  /**
   * Fills the old store, migrates both collections and checks the target.
   *
   * @throws IOException if the input cannot be read, or a thread of the live writer failed
   */
  public DemoReport run() throws IOException {
    String string = servers.transition();
    try (KvStore service = Stores.connect(string);
        Store source = Stores.open(servers.oldStore());
        Store target = Stores.open(servers.newStore())) {
      ClassFileCatalog catalog = ClassFileCatalog.open(service);
      CatalogLoader loader = timed("fill the old store", () -> fill(catalog));
      RangeReadAcrossCutover read =
          new RangeReadAcrossCutover(catalog, requireUntouchedPackage(loader));
      try (LiveWriter writer = LiveWriter.start(catalog, loader.sample(), folder, options.seed())) {
        read.begin();
        Map<CatalogCollection, Migrated> migrated = new EnumMap<>(CatalogCollection.class);
        for (CatalogCollection collection : CatalogCollection.values()) {
          migrated.put(collection, migrate(collection, source, target));
        }
        progress.say("the live writer continues for " + options.afterCutover().toSeconds() + " s");
        timed("live writer continues", () -> pause(options.afterCutover()));
        RangeReadAcrossCutover.Result range = read.finish();
        WriterCounts counts = writer.finish();
        beforeCheck.accept(target);
        JournalCheck journal = JournalCheck.read(writer.journals(), cutovers(migrated));
        List<CollectionReport> collections = new ArrayList<>();
        for (CatalogCollection collection : CatalogCollection.values()) {
          VerifyReport comparison = compare(collection, journal, source, target);
          collections.add(
              new CollectionReport(
                  collection,
                  migrated.get(collection).result(),
                  comparison,
                  journal.longestWrite(collection),
                  migrated.get(collection).wayBack()));
        }
        JournalFindings findings = checkJournal(journal);
        String connectionString = ConnectionString.parse(string).toString();
        return new DemoReport(
            options.way(),
            steps,
            collections,
            findings,
            new WriterReport(counts, journal.steadyWrite(), connectionString),
            range);
      }
    }
  }

  private CatalogLoader fill(ClassFileCatalog catalog) throws IOException {
    CatalogLoader loader =
        new CatalogLoader(
            catalog,
            options.records(),
            progress.begin("fill the old store", options.records(), "records"));
    ClassFileReader.read(options.input(), options.records(), loader::load);
    loader.finish();
    return loader;
  }

  private static String requireUntouchedPackage(CatalogLoader loader) throws IOException {
    return loader
        .untouchedPackage()
        .orElseThrow(
            () ->
                new IOException(
                    "the input has no package that is large enough to read across the cutover: "
                        + "raise --records"));
  }

  private Migrated migrate(CatalogCollection collection, Store source, Store target) {
    MigrationPlan plan =
        MigrationPlan.builder(collection.toString(), collection.model().layout())
            .source(source)
            .target(target)
            .bootstrapServers(servers.bootstrapServers())
            .options(MigrationOptions.builder().dwell(DWELL).build())
            .build();
    List<CutoverTimes.Interval> felt = new ArrayList<>();
    MergePass.Counts wayBack = options.wayBack() ? moveAndGoBack(plan, felt) : null;
    try (Migration migration = Migration.of(plan, progress)) {
      MigrationResult result =
          options.way() == Way.DUAL_WRITE ? takePhases(migration, felt) : migration.run();
      Instant stopped = stoppedFrom(result.cutover().floor());
      if (options.way() == Way.FENCE) {
        felt.add(new CutoverTimes.Interval("new-only", stopped, Instant.now()));
      }
      result.steps().forEach((step, time) -> steps.put(collection + ": " + step.word(), time));
      return new Migrated(result, new CutoverTimes(stopped, felt), wayBack);
    }
  }

  /** Moves a collection by a fence, lets the live writer work, and takes the collection back. */
  private MergePass.Counts moveAndGoBack(MigrationPlan plan, List<CutoverTimes.Interval> felt) {
    try (Migration migration = Migration.of(plan, progress)) {
      migration.approach(Way.FENCE);
      migration.keepWayBack();
      Instant from = Instant.now();
      migration.cutover();
      felt.add(new CutoverTimes.Interval("new-primary", from, Instant.now()));
    }
    progress.say(
        "collection "
            + plan.collection()
            + " has moved with a way back; the live writer continues for "
            + options.afterCutover().toSeconds()
            + " s");
    pause(options.afterCutover());
    try (Migration migration = Migration.of(plan, progress)) {
      Instant from = Instant.now();
      MergePass.Counts counts = Objects.requireNonNull(migration.goBack());
      felt.add(new CutoverTimes.Interval("legacy", from, Instant.now()));
      migration.reset();
      return counts;
    }
  }

  /** Takes all phases, with a step back in the middle, and notes when each step was taken. */
  private static MigrationResult takePhases(Migration migration, List<CutoverTimes.Interval> felt) {
    step(migration, Phase.SHADOW_WRITE, felt);
    migration.copy();
    migration.catchUp();
    step(migration, Phase.DUAL_WRITE, felt);
    step(migration, Phase.SHADOW_READ, felt);
    migration.verify();
    step(migration, Phase.NEW_READ, felt);
    step(migration, Phase.SHADOW_READ, felt);
    step(migration, Phase.NEW_READ, felt);
    step(migration, Phase.NEW_PRIMARY, felt);
    step(migration, Phase.NEW_ONLY, felt);
    return migration.result();
  }

  private static void step(Migration migration, Phase phase, List<CutoverTimes.Interval> felt) {
    Instant from = Instant.now();
    migration.step(phase);
    felt.add(new CutoverTimes.Interval(phase.word(), from, Instant.now()));
  }

  /** Returns a moment that is certainly not after the last write of the old store. */
  private static Instant stoppedFrom(long floor) {
    return Instant.EPOCH.plus(floor, ChronoUnit.MICROS).minus(MAX_FLOOR_AHEAD);
  }

  private static Map<CatalogCollection, CutoverTimes> cutovers(
      Map<CatalogCollection, Migrated> migrated) {
    Map<CatalogCollection, CutoverTimes> cutovers = new EnumMap<>(CatalogCollection.class);
    migrated.forEach((collection, each) -> cutovers.put(collection, each.cutover()));
    return cutovers;
  }

  private VerifyReport compare(
      CatalogCollection collection, JournalCheck journal, Store source, Store target)
      throws IOException {
    Set<StoreKey> ignored =
        journal.writtenAfterStop(collection).stream()
            .map(CatalogKey::storeKey)
            .collect(Collectors.toSet());
    Comparison comparison =
        new Comparison(
            collection.toString(),
            collection.model().layout(),
            source,
            target,
            MigrationOptions.defaults());
    return timed("check 1: " + collection, () -> comparison.run(ignored::contains, progress));
  }

  /** Reads through a connection of its own, as a service that starts after the migration. */
  private JournalFindings checkJournal(JournalCheck journal) throws IOException {
    String name = "check 2: the journal";
    try (KvStore fresh = Stores.connect(servers.newStore())) {
      ClassFileCatalog catalog = ClassFileCatalog.open(fresh);
      return timed(
          name, () -> journal.run(catalog, progress.begin(name, journal.keyCount(), "keys")));
    }
  }

  /** A step that returns a result. */
  private interface TimedStep<T> {
    T run() throws IOException;
  }

  private <T> T timed(String name, TimedStep<T> step) throws IOException {
    long start = System.nanoTime();
    T result = step.run();
    steps.put(name, Duration.ofNanos(System.nanoTime() - start));
    return result;
  }

  private static Duration pause(Duration time) {
    long end = System.nanoTime() + time.toNanos();
    while (System.nanoTime() < end) {
      LockSupport.parkNanos(end - System.nanoTime());
    }
    return time;
  }
}
