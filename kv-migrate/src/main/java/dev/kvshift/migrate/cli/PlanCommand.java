package dev.kvshift.migrate.cli;

import dev.kvshift.migrate.ClockMigration;
import dev.kvshift.migrate.Preflight;
import dev.kvshift.migrate.api.Finding;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.Recommendation;
import dev.kvshift.migrate.api.Sizing;
import dev.kvshift.migrate.internal.ledger.Members;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Shows what a migration meets, and how large it is. */
@Command(
    name = "plan",
    description = {
      "Checks everything that 'check' does, sizes collections (rows, hours, bytes in the topic and"
          + " on the new store), and recommends a method.",
      "%nReads some scan tasks of the old store to their end and extrapolates, so the figures are"
          + " estimates: those of rows are as good as the tasks are alike. Not seen: settings of the"
          + " new store that its driver does not report (CDC, compaction strategy), and the brokers'"
          + " free disk."
    },
    mixinStandardHelpOptions = true)
final class PlanCommand implements Callable<Integer> {
  private static final double GB = 1e9;
  private static final String CLOCK_ORDER =
      "run, in phases ordered by clocks, since the old store has no leader";

  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private ConfigOption config = new ConfigOption();

  @Parameters(
      arity = "0..*",
      paramLabel = "COLLECTION",
      description = "Collections of the configuration (default: all of them).")
  private List<String> names = List.of();

  @Option(
      names = "--sample",
      defaultValue = "16",
      paramLabel = "N",
      description = "Scan tasks to read, of about 512, 1 to 10000 (default: 16).")
  private int sample;

  @Option(
      names = "--watch-seconds",
      defaultValue = "10",
      paramLabel = "S",
      description = "How long to watch the changes, 1 to 3600 (default: 10).")
  private int watchSeconds;

  @Option(
      names = "--target-replicas",
      defaultValue = "3",
      paramLabel = "N",
      description = "Replicas of the new store's keyspace, over all datacenters (default: 3).")
  private int targetReplicas;

  @Option(
      names = "--price",
      paramLabel = "AMOUNT",
      description = "Price of one GB of the new store's disk in a month, for the cost line.")
  private @Nullable Double price;

  @Option(names = "--json", description = "Prints JSON, for programs.")
  private boolean json;

  @Override
  public Integer call() {
    if (sample < 1 || watchSeconds < 1 || watchSeconds > 3600 || targetReplicas < 1) {
      throw new IllegalArgumentException(
          "--sample, --watch-seconds or --target-replicas is out of range: see 'plan --help'");
    }
    try (MigrationFile.Opened opened = config.openAny()) {
      List<Members> printed = new ArrayList<>();
      boolean isBlocked = false;
      for (MigrationPlan plan : opened.of(names)) {
        List<Finding> findings = new ArrayList<>(Preflight.check(plan));
        Sizing size = Preflight.size(plan, sample, Duration.ofSeconds(watchSeconds));
        findings.addAll(Preflight.judge(plan, size));
        isBlocked |= FindingText.isBlocked(findings);
        if (json) {
          printed.add(members(plan, size, findings));
        } else {
          FindingText.lines(plan.collection(), findings).forEach(this::out);
          lines(plan, size).forEach(this::out);
        }
      }
      if (json) {
        out(new Members().withObjects("collections", printed).toString());
      }
      return isBlocked ? ExitCode.REFUSED : ExitCode.OK;
    }
  }

  private long topicBytes(MigrationPlan plan, Sizing size) {
    int replicas = plan.options().replicationFactor().orElse(1);
    return size.topicBytes(plan.options().topicRetention(), replicas);
  }

  private List<String> lines(MigrationPlan plan, Sizing size) {
    List<String> lines = new ArrayList<>();
    lines.add(
        String.format(
            Locale.ROOT,
            "  size: about %,d rows, %s of keys and values, %,d bytes a row (%,d of %,d scan tasks"
                + " read)",
            size.rows(),
            gigabytes(size.bytes()),
            size.rowBytes(),
            size.sampled(),
            size.tasks()));
    boolean isLed = !ClockMigration.isNeededBy(plan.source());
    lines.addAll(isLed ? copyAndTopic(plan, size) : pass(plan, size));
    long target = size.targetBytes(targetReplicas);
    lines.add(
        String.format(
            Locale.ROOT,
            "  new store: %s over %d replicas, before compression; compaction needs as much again",
            gigabytes(target),
            targetReplicas));
    if (price != null) {
      lines.add(
          String.format(
              Locale.ROOT, "  cost: %.2f a month for the new store's disk", price * target / GB));
    }
    if (isLed) {
      lines.addAll(methodLines(Preflight.recommend(plan, size)));
    } else {
      lines.add("  method: " + CLOCK_ORDER);
    }
    return lines;
  }

  private static List<String> pass(MigrationPlan plan, Sizing size) {
    Duration pass = size.passTime(plan.options().scanRate());
    return List.of(
        String.format(
            Locale.ROOT,
            "  time: a pass over both stores takes about %d:%02d h if they keep up",
            pass.toHours(),
            pass.toMinutesPart()));
  }

  private List<String> copyAndTopic(MigrationPlan plan, Sizing size) {
    List<String> lines = new ArrayList<>();
    Duration copy = size.copyTime(plan.options().copyWorkers(), plan.options().scanRate());
    lines.add(
        String.format(
            Locale.ROOT,
            "  time: the copy takes about %d:%02d h if the new store keeps up, a comparison about as"
                + " long",
            copy.toHours(),
            copy.toMinutesPart()));
    lines.add(
        String.format(
            Locale.ROOT,
            "  topic: %,d changes/s, at most %s in %,d h over all replicas",
            size.changesPerSecond(),
            gigabytes(topicBytes(plan, size)),
            plan.options().topicRetention().toHours()));
    return lines;
  }

  private static List<String> methodLines(Recommendation method) {
    List<String> lines = new ArrayList<>();
    String leaving =
        method.leaveToExpireHours() == 0
            ? ""
            : ", with leaveToExpireHours: " + method.leaveToExpireHours();
    lines.add("  method: run --way " + method.way().word() + leaving);
    method.reasons().forEach(reason -> lines.add("      " + reason));
    return lines;
  }

  private static String gigabytes(long bytes) {
    return bytes < GB
        ? String.format(Locale.ROOT, "%.1f MB", bytes / 1e6)
        : String.format(Locale.ROOT, "%,.1f GB", bytes / GB);
  }

  private Members members(MigrationPlan plan, Sizing size, List<Finding> findings) {
    Members members =
        FindingText.members(plan.collection(), findings)
            .with("rows", size.rows())
            .with("bytes", size.bytes())
            .with("tasks", size.tasks())
            .with("sampledTasks", size.sampled())
            .with("largestValueBytes", size.largestValueBytes())
            .with("targetBytes", size.targetBytes(targetReplicas))
            .with("expiringRows", size.expiring())
            .with("longestLifeSeconds", size.longestLife().toSeconds());
    if (ClockMigration.isNeededBy(plan.source())) {
      return members
          .with("passSeconds", size.passTime(plan.options().scanRate()).toSeconds())
          .with("ordering", "clocks");
    }
    Duration copy = size.copyTime(plan.options().copyWorkers(), plan.options().scanRate());
    return members
        .with("changesPerSecond", size.changesPerSecond())
        .with("copySeconds", copy.toSeconds())
        .with("topicBytes", topicBytes(plan, size))
        .with("method", method(Preflight.recommend(plan, size)));
  }

  private static Members method(Recommendation method) {
    return new Members()
        .with("way", method.way().word())
        .with("leaveToExpireHours", method.leaveToExpireHours())
        .withTexts("reasons", method.reasons());
  }

  private void out(String line) {
    PrintWriter out = spec.commandLine().getOut();
    out.println(line);
    out.flush();
  }
}
