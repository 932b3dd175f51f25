package dev.kvshift.migrate.internal.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.base.Splitter;
import dev.kvshift.api.Layout;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.migrate.api.CopyCounts;
import dev.kvshift.migrate.api.DifferenceCounts;
import dev.kvshift.migrate.api.HostStatus;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.MigrationStatus;
import dev.kvshift.migrate.api.VerifyReport;
import dev.kvshift.migrate.internal.apply.ApplyLag;
import dev.kvshift.migrate.internal.stream.Brokers;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Store;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.DoubleBinaryOperator;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.admin.Admin;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.Yaml;

/** The alert rules and the dashboard against the metrics that are exported. */
final class AlertsTest {
  private static final Path DOCS =
      Path.of(System.getProperty("user.dir")).resolveSibling("docs").resolve("monitoring");
  private static final Pattern METRIC = Pattern.compile("kvshift_[a-z_]+");
  private static final Pattern SAMPLE =
      Pattern.compile("(kvshift_[a-z_]+)\\{([^}]*)} (\\S+)", Pattern.MULTILINE);
  private static final Pattern TERM =
      Pattern.compile("(kvshift_[a-z_]+)(?:\\{([^}]*)})? (==|<|>) (\\d+)");

  private final Instant now = Instant.now();
  private final Store store = MemoryStoreProvider.open(UUID.randomUUID().toString());
  private final MonitoredCollection collection =
      new MonitoredCollection(
          MigrationPlan.builder("files", Layout.point())
              .source(store)
              .target(store)
              .bootstrapServers("localhost:1")
              .build());
  private final MonitorMetrics metrics = new MonitorMetrics(() -> 1, List.of(collection));

  @AfterEach
  void close() {
    store.close();
  }

  @Test
  void names_ofRulesAndDashboard_areExported() throws IOException {
    healthy();
    Set<String> exported = new HashSet<>();
    metrics.scrape().lines().forEach(line -> exported.addAll(names(line)));
    for (String file : List.of("alerts.yml", "dashboard.json")) {
      Set<String> named = names(Files.readString(DOCS.resolve(file)));
      assertThat(named).as(file).hasSizeGreaterThan(8);
      assertThat(exported).as(file).containsAll(named);
    }
  }

  @Test
  void names_exported_areInTheDocument() throws IOException {
    healthy();
    Set<String> exported = new TreeSet<>();
    metrics
        .scrape()
        .lines()
        .filter(line -> !line.startsWith("#"))
        .forEach(line -> exported.addAll(names(line)));
    assertThat(names(Files.readString(DOCS.resolveSibling("monitoring.md")))).containsAll(exported);
  }

  @Test
  void alerts_healthyMigration_none() throws IOException {
    healthy();
    assertThat(firing()).isEmpty();
  }

  @Test
  void alerts_movedWithAWayBack_none() throws IOException {
    Reading old = verified(behind(reading(), now.plusSeconds(60)), 0, now.minusSeconds(60));
    MigrationStatus status = old.status();
    Reading moved =
        with(
            old,
            new MigrationStatus(
                "files",
                new MigrationStatus.Source(
                    Phase.NEW_PRIMARY,
                    1,
                    false,
                    status.source().newestPosition(),
                    OptionalLong.of(7)),
                status.stream(),
                status.copy(),
                null,
                null,
                status.quarantine(),
                null,
                null,
                List.of()));
    collection.note(moved, seconds(0));
    collection.note(moved, seconds(400));
    assertThat(firing()).as("what the old store logs is not streamed").isEmpty();
  }

  @Test
  void alerts_eachFault_firesItsOwn() throws IOException {
    Map<String, UnaryOperator<Reading>> faults = new HashMap<>();
    faults.put("KvshiftTaskFailed", reading -> with(reading, task("copy", "failed", 1)));
    faults.put("KvshiftTaskRetried", reading -> with(reading, task("lead", "running", 6)));
    faults.put("KvshiftNobodyWorks", reading -> with(reading, task("verify", "wanted", 0)));
    faults.put("KvshiftCopyStandsStill", reading -> copying(reading, now.plusSeconds(1_000_000)));
    faults.put("KvshiftSourceRetention", reading -> behind(reading, now.plusSeconds(3_600)));
    faults.put("KvshiftDifferences", reading -> verified(reading, 3, now.plusSeconds(86_400)));
    faults.put("KvshiftVerifyTooOld", reading -> verified(reading, 0, now.plusSeconds(600)));
    faults.put("KvshiftDeadLetters", AlertsTest::quarantined);
    faults.put("KvshiftAcceptedLosses", AlertsTest::withLosses);
    faults.put("KvshiftFleetNotReady", this::withLaggard);
    faults.put("KvshiftFenced", this::fenced);
    for (Map.Entry<String, UnaryOperator<Reading>> fault : faults.entrySet()) {
      collection.note(fault.getValue().apply(reading()), seconds(0));
      collection.note(fault.getValue().apply(reading()), seconds(10));
      assertThat(firing()).as(fault.getKey()).containsExactly(fault.getKey());
    }

    collection.note(foreign(reading()), seconds(12));
    assertThat(firing()).containsExactly("KvshiftDifferences", "KvshiftForeignRows");

    collection.note(lagging(reading()), seconds(20));
    collection.note(lagging(reading()), seconds(400));
    assertThat(firing()).containsExactly("KvshiftLag");

    store.close();
    try (Admin admin = Brokers.plain("localhost:1").admin(Duration.ofSeconds(1))) {
      collection.read(admin);
    }
    assertThat(firing()).containsExactly("KvshiftNotRead");

    Set<String> made = new TreeSet<>(faults.keySet());
    made.addAll(List.of("KvshiftForeignRows", "KvshiftLag", "KvshiftNotRead"));
    assertThat(rules().keySet()).containsExactlyInAnyOrderElementsOf(made);
  }

  private void healthy() {
    collection.note(reading(), seconds(0));
    collection.note(reading(), seconds(10));
  }

  private static long seconds(long count) {
    return TimeUnit.SECONDS.toNanos(count);
  }

  private static Set<String> names(String text) {
    Set<String> names = new HashSet<>();
    Matcher matcher = METRIC.matcher(text);
    while (matcher.find()) {
      names.add(matcher.group());
    }
    return names;
  }

  /** Returns the alerts whose expression holds now. */
  private Set<String> firing() throws IOException {
    Map<String, Double> samples = new HashMap<>();
    Matcher matcher = SAMPLE.matcher(metrics.scrape());
    while (matcher.find()) {
      samples.put(key(matcher.group(1), matcher.group(2)), Double.valueOf(matcher.group(3)));
    }
    Set<String> firing = new TreeSet<>();
    rules()
        .forEach(
            (name, expression) -> {
              if (holds(expression, samples)) {
                firing.add(name);
              }
            });
    return firing;
  }

  private static String key(String name, @Nullable String labels) {
    Set<String> set = new TreeSet<>();
    if (labels != null) {
      set.addAll(Splitter.on(',').splitToList(labels));
    }
    set.remove("collection=\"files\"");
    return name + set;
  }

  /**
   * Evaluates comparisons with a number that are joined by "and", for the one collection. Without
   * "on", Prometheus joins only series that have the same labels: others never match.
   */
  private static boolean holds(String expression, Map<String, Double> samples) {
    boolean holds = true;
    Set<String> labels = new HashSet<>();
    for (String term : Splitter.onPattern(" and (on\\(collection\\) )?").split(expression)) {
      Matcher matcher = TERM.matcher(term);
      assertThat(matcher.matches()).as(term).isTrue();
      String key = key(matcher.group(1), matcher.group(2));
      labels.add(key.substring(matcher.group(1).length()));
      assertThat(samples).containsKey(key);
      DoubleBinaryOperator compare =
          switch (matcher.group(3)) {
            case "<" -> (a, b) -> a < b ? 1 : 0;
            case ">" -> (a, b) -> a > b ? 1 : 0;
            default -> (a, b) -> a == b ? 1 : 0;
          };
      holds &= compare.applyAsDouble(samples.get(key), Double.parseDouble(matcher.group(4))) == 1;
    }
    assertThat(labels.size() == 1 || !expression.matches(".* and (?!on\\(collection\\) ).*"))
        .as("labels that 'and' can join: " + expression)
        .isTrue();
    return holds;
  }

  private static Map<String, String> rules() throws IOException {
    Map<String, List<Map<String, List<Map<String, Object>>>>> file =
        new Yaml().load(Files.readString(DOCS.resolve("alerts.yml")));
    Map<String, String> rules = new HashMap<>();
    for (Map<String, List<Map<String, Object>>> group : file.get("groups")) {
      for (Map<String, Object> rule : group.get("rules")) {
        rules.put((String) rule.get("alert"), (String) rule.get("expr"));
      }
    }
    return rules;
  }

  /** A migration whose stores were compared, with a leader at work and nothing behind. */
  private Reading reading() {
    MigrationStatus status =
        new MigrationStatus(
            "files",
            new MigrationStatus.Source(Phase.LEGACY, 0, false, 100, OptionalLong.empty()),
            new MigrationStatus.Stream(100, now.plusSeconds(86_400)),
            new MigrationStatus.Copy(
                16, 16, new CopyCounts(50, 50, new CopyCounts.Skipped(0, 0), 0, 1)),
            null,
            null,
            new MigrationStatus.Quarantine(0, List.of(), 0),
            null,
            null,
            List.of());
    return verified(
        new Reading(
            now,
            new HostStatus.Collection(status, false, List.of(task("lead", "running", 0))),
            new Fleet(Gate.State.first(), List.of()),
            OptionalLong.of(50),
            new ApplyLag(100, 0, OptionalLong.of(0)),
            null,
            null),
        0,
        now.plusSeconds(86_400));
  }

  private static HostStatus.Task task(String name, String status, int failures) {
    return new HostStatus.Task(name, status, "host-1", 1, failures, "", 0, 0, "", null);
  }

  private static Reading with(Reading reading, MigrationStatus status) {
    return new Reading(
        reading.at(),
        new HostStatus.Collection(status, false, reading.collection().tasks()),
        reading.fleet(),
        reading.expectedRows(),
        reading.lag(),
        reading.verified(),
        reading.verifying());
  }

  private static Reading with(Reading reading, HostStatus.Task task) {
    return new Reading(
        reading.at(),
        new HostStatus.Collection(reading.status(), false, List.of(task)),
        reading.fleet(),
        reading.expectedRows(),
        reading.lag(),
        reading.verified(),
        reading.verifying());
  }

  private static Reading with(Reading reading, Fleet fleet) {
    return new Reading(
        reading.at(),
        reading.collection(),
        fleet,
        reading.expectedRows(),
        reading.lag(),
        reading.verified(),
        reading.verifying());
  }

  private static MigrationStatus status(
      Reading reading, MigrationStatus.Stream stream, MigrationStatus.Copy copy, int quarantined) {
    MigrationStatus old = reading.status();
    return new MigrationStatus(
        "files",
        old.source(),
        stream,
        copy,
        null,
        null,
        new MigrationStatus.Quarantine(quarantined, List.of(), 0),
        null,
        null,
        List.of());
  }

  private static Reading copying(Reading reading, Instant kept) {
    MigrationStatus.Copy copy =
        new MigrationStatus.Copy(16, 3, new CopyCounts(9, 9, new CopyCounts.Skipped(0, 0), 0, 1));
    return with(reading, status(reading, new MigrationStatus.Stream(100, kept), copy, 0));
  }

  private static Reading behind(Reading reading, Instant kept) {
    return with(
        reading, status(reading, new MigrationStatus.Stream(90, kept), reading.status().copy(), 0));
  }

  private static Reading quarantined(Reading reading) {
    return with(reading, status(reading, reading.status().stream(), reading.status().copy(), 2));
  }

  private static Reading withLosses(Reading reading) {
    MigrationStatus old = reading.status();
    return with(
        reading,
        new MigrationStatus(
            "files",
            old.source(),
            old.stream(),
            old.copy(),
            null,
            null,
            new MigrationStatus.Quarantine(0, List.of(), 2),
            null,
            null,
            List.of()));
  }

  private Reading foreign(Reading reading) {
    return verified(
        reading,
        new VerifyReport(50, 50, 0, new DifferenceCounts(0, 0, 3, 0), 3, List.of(), Duration.ZERO),
        now.plusSeconds(86_400));
  }

  private Reading verified(Reading reading, long different, Instant validUntil) {
    return verified(
        reading,
        new VerifyReport(
            50, 50, 0, new DifferenceCounts(0, 0, different, 0), List.of(), Duration.ZERO),
        validUntil);
  }

  private Reading verified(Reading reading, VerifyReport report, Instant validUntil) {
    return new Reading(
        reading.at(),
        reading.collection(),
        reading.fleet(),
        reading.expectedRows(),
        reading.lag(),
        new Reading.Verified(report, now, validUntil),
        null);
  }

  /** Sixty changes more than before, none of them applied. */
  private static Reading lagging(Reading reading) {
    MigrationStatus old = reading.status();
    return with(
        reading,
        new MigrationStatus(
            "files",
            new MigrationStatus.Source(Phase.LEGACY, 0, false, 160, OptionalLong.empty()),
            new MigrationStatus.Stream(160, null),
            old.copy(),
            null,
            null,
            old.quarantine(),
            null,
            null,
            List.of()));
  }

  private Reading withLaggard(Reading reading) {
    Gate.State stepped =
        Gate.State.first().withCopy(Copy.draw("log")).withEpoch(1).withPhase(Phase.SHADOW_WRITE);
    InstanceReport report = InstanceReport.of("one", "orders");
    List<Fleet.User> users = new ArrayList<>();
    users.add(
        new Fleet.User(
            Gate.Instance.of(report, InstanceReport.Use.acknowledging(0), now.plusSeconds(5)),
            "it has not entered"));
    return with(reading, new Fleet(stepped, users));
  }

  private Reading fenced(Reading reading) {
    return with(
        reading,
        new Fleet(
            Gate.State.first().withFence(Gate.Fence.of("attempt", 7, 7, now.plusSeconds(5))),
            List.of()));
  }
}
