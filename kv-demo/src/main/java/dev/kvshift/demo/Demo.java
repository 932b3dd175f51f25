package dev.kvshift.demo;

import dev.kvshift.KvStore;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.migrate.Comparison;
import dev.kvshift.migrate.Migration;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.MigrationResult;
import dev.kvshift.migrate.api.VerifyReport;
import dev.kvshift.model.Stores;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreKey;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/** A whole migration of real data under a live writer, and its proof. Used once, by one thread. */
final class Demo {
  /**
   * What a person may ask for.
   *
   * @param input the folder whose jars are read
   * @param records about how many records to migrate, over both collections
   * @param seconds how long the writer goes on after the last cutover
   * @param seed of the writer's choices
   */
  record Options(Path input, long records, int seconds, long seed) {}

  private static final Duration MAX_FLOOR_AHEAD = Duration.ofSeconds(1);

  private final Servers servers;
  private final Path folder;
  private final Options options;
  private final ProgressLines progress;
  private final Consumer<Store> beforeCheck;
  private final Map<String, Long> steps = new LinkedHashMap<>();
  private final Map<String, Instant> fences = new HashMap<>();
  private final Map<String, Instant> releases = new HashMap<>();

  /**
   * Makes a demo.
   *
   * @param beforeCheck is given the target after the migration and before the checks; tests break
   *     it there on purpose
   */
  Demo(
      Servers servers,
      Path folder,
      Options options,
      ProgressLines progress,
      Consumer<Store> beforeCheck) {
    this.servers = servers;
    this.folder = folder;
    this.options = options;
    this.progress = progress;
    this.beforeCheck = beforeCheck;
  }

  /** Fills, migrates, checks. */
  Report run() throws IOException {
    try (KvStore service = Stores.connect(servers.transition());
        Store source = Stores.open(servers.legacy());
        Store target = Stores.open(servers.scylla())) {
      Collections collections = Collections.open(service);
      Loader loader = timed("fill the old store", () -> fill(collections));
      try (LiveWriter writer =
          LiveWriter.start(collections, loader.sample(), folder, options.seed())) {
        RangeAcross range = new RangeAcross(collections, loader.untouchedPackage());
        range.begin();
        Map<String, MigrationResult> results = new LinkedHashMap<>();
        for (String name : List.of(LiveKey.FILES, LiveKey.PACKAGE_FILES)) {
          results.put(name, migrate(name, source, target));
        }
        progress.say("the live writer goes on for " + options.seconds() + " s");
        timed("live writer goes on", () -> waitSeconds(options.seconds()));
        range.finish();
        LiveWriter.Counts counts = writer.stop();
        beforeCheck.accept(target);
        return check(source, target, writer.journals(), results, counts, range);
      }
    }
  }

  private Loader fill(Collections collections) throws IOException {
    Loader loader = new Loader(collections, progress, options.records());
    ClassFiles.read(options.input(), options.records(), loader::load);
    loader.finish();
    return loader;
  }

  private MigrationResult migrate(String name, Store source, Store target) {
    MigrationPlan plan =
        MigrationPlan.builder(name, Collections.layout(name))
            .source(source)
            .target(target)
            .bootstrapServers(servers.kafka())
            .build();
    try (Migration migration = Migration.of(plan, progress)) {
      MigrationResult result = migration.run();
      releases.put(name, Instant.now());
      fences.put(name, fencedFrom(result.cutover().floor()));
      result.steps().forEach((step, time) -> note(name + ": " + step.word(), time));
      return result;
    }
  }

  /** F is the leader's clock at the fence, of which it is at most a second ahead. */
  private static Instant fencedFrom(long floor) {
    return Instant.EPOCH.plus(floor, ChronoUnit.MICROS).minus(MAX_FLOOR_AHEAD);
  }

  private Report check(
      Store source,
      Store target,
      List<Path> journals,
      Map<String, MigrationResult> results,
      LiveWriter.Counts counts,
      RangeAcross range)
      throws IOException {
    JournalCheck journal = JournalCheck.read(journals, fences, releases);
    Map<String, VerifyReport> compared = new LinkedHashMap<>();
    for (String name : results.keySet()) {
      Set<StoreKey> leaveOut = new HashSet<>();
      for (LiveKey key : journal.touchedAfterFence()) {
        if (key.collection().equals(name)) {
          leaveOut.add(Collections.storeKey(key));
        }
      }
      Comparison comparison =
          new Comparison(
              name, Collections.layout(name), source, target, MigrationOptions.defaults());
      compared.put(
          name, timed("check 1: " + name, () -> comparison.run(leaveOut::contains, progress)));
    }
    JournalCheck.Findings findings;
    try (KvStore fresh = Stores.connect(servers.scylla())) {
      Collections onTarget = Collections.open(fresh);
      findings = timed("check 2: the journal", () -> journal.run(onTarget, progress));
    }
    return report(results, compared, findings, journal, counts, range);
  }

  private Report report(
      Map<String, MigrationResult> results,
      Map<String, VerifyReport> compared,
      JournalCheck.Findings findings,
      JournalCheck journal,
      LiveWriter.Counts counts,
      RangeAcross range) {
    long records = 0;
    long missing = findings.missing();
    long extra = 0;
    long different = findings.different();
    long resurrected = findings.resurrected();
    long longest = 0;
    List<String> keys = new ArrayList<>(findings.listed());
    List<Report.CollectionReport> collections = new ArrayList<>();
    for (Map.Entry<String, MigrationResult> each : results.entrySet()) {
      String name = each.getKey();
      MigrationResult result = each.getValue();
      VerifyReport verify = compared.get(name);
      records += verify.targetRows();
      missing += verify.counts().missing();
      extra += verify.counts().extra();
      different += verify.counts().different();
      resurrected += verify.counts().resurrected();
      verify.keys().forEach(key -> keys.add(name + " " + key));
      long pause = journal.longestPause(name).toMillis();
      longest = Math.max(longest, pause);
      long copyMillis = Math.max(1, result.copy().duration().toMillis());
      collections.add(
          new Report.CollectionReport(
              name,
              verify.sourceRows(),
              verify.targetRows(),
              result.copy().counts().written(),
              result.copy().counts().written() * 1_000 / copyMillis,
              result.changesApplied(),
              pause,
              result.cutover().pause().fenced().toMillis(),
              result.cutover().pause().drained().toMillis(),
              result.cutover().pause().tailChecked().toMillis(),
              result.cutover().pause().moved().toMillis()));
    }
    keys.addAll(counts.problems());
    return new Report(
        records,
        missing,
        extra,
        different,
        resurrected,
        counts.failed() + counts.stale(),
        longest,
        steps,
        collections,
        new Report.WriterReport(
            counts.writes(),
            counts.reads(),
            findings.keys(),
            ConnectionString.parse(servers.transition()).toString()),
        range.report(),
        keys);
  }

  /** Something that takes time. */
  private interface Timed<T> {
    T run() throws IOException;
  }

  private <T> T timed(String name, Timed<T> step) throws IOException {
    Instant start = Instant.now();
    T result = step.run();
    note(name, Duration.between(start, Instant.now()));
    return result;
  }

  private void note(String name, Duration time) {
    steps.put(name, time.toMillis());
  }

  private static Duration waitSeconds(int seconds) {
    long end = System.nanoTime() + Duration.ofSeconds(seconds).toNanos();
    while (System.nanoTime() < end) {
      LockSupport.parkNanos(end - System.nanoTime());
    }
    return Duration.ofSeconds(seconds);
  }
}
