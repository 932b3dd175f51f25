package dev.kvshift.migrate.cli;

import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.migrate.PartitionScan;
import dev.kvshift.model.advise.PartitionLimits;
import dev.kvshift.model.advise.PartitionReport;
import dev.kvshift.model.advise.PartitionReport.Prediction;
import dev.kvshift.spi.Store;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Predicts the size of a collection's partitions under each shard rule. */
@Command(
    name = "advise",
    description = "Reads a range collection and recommends a shard rule; changes nothing.",
    mixinStandardHelpOptions = true)
final class AdviseCommand implements Callable<Integer> {
  private static final long LINE_EVERY_NANOS = TimeUnit.SECONDS.toNanos(1);

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--from",
      required = true,
      paramLabel = "STRING",
      description = "Connection string of the store that holds the collection.")
  private String from = "";

  @Mixin private CollectionOptions collection = new CollectionOptions();

  @Option(
      names = "--sample",
      defaultValue = "1",
      paramLabel = "N",
      description =
          "Reads one in N of the scan's tasks, each of them whole main keys, 1 to 8192 (default:"
              + " 1).")
  private int sample;

  @Mixin private ScanOptions scans = new ScanOptions();

  @Option(
      names = "--max-bytes",
      defaultValue = "10MB",
      paramLabel = "BYTES",
      converter = ByteCount.class,
      description =
          "Maximum size of a partition, in bytes, or with kB, MB or GB behind (default: 10MB).")
  private long maxBytes;

  @Option(
      names = "--max-rows",
      defaultValue = "100000",
      paramLabel = "N",
      description = "Maximum number of entries in a partition (default: 100000).")
  private long maxRows;

  @Option(
      names = "--fail-above",
      paramLabel = "BYTES",
      converter = ByteCount.class,
      description = "Exits with 5 if the layout's rule makes a larger partition (default: never).")
  private @Nullable Long failAbove;

  @Option(
      names = "--patience-seconds",
      defaultValue = "120",
      paramLabel = "S",
      description =
          "How many seconds the store may fail to answer before the scan ends (default: 120).")
  private long patienceSeconds;

  @Option(
      names = "--json",
      paramLabel = "FILE",
      description = "Writes the report to a file, as JSON.")
  private @Nullable Path json;

  @Override
  public Integer call() {
    Layout layout = collection.layout();
    PartitionLimits limits =
        PartitionLimits.defaults().withMaxBytes(maxBytes).withMaxEntries(maxRows);
    PartitionScan.Result result;
    try (Store store = collection.open(from)) {
      result =
          new PartitionScan(store, Duration.ofSeconds(patienceSeconds), scans.rate())
              .run(collection.name, layout, limits, sample, progress());
    }
    PrintWriter out = spec.commandLine().getOut();
    PartitionReport report = result.report();
    out.print(report.toText());
    ShardRule recommended = report.recommended();
    if (recommended != null && !recommended.equals(layout.rule())) {
      out.println(
          "its layout would be "
              + Layout.of(layout.shape(), recommended, layout.encoding())
              + ", not "
              + layout
              + ": docs/model.md says how a layout changes");
    }
    if (result.tasksRead() < result.tasks()) {
      out.printf(
          Locale.ROOT,
          "sample: %d of %d scan tasks; sizes are whole, counts are the sample's%n",
          result.tasksRead(),
          result.tasks());
    }
    int code = failAbove == null ? ExitCode.OK : test(layout, report, failAbove, out);
    out.flush();
    if (json != null) {
      MigrateCommand.write(json, report.toJson());
    }
    return code;
  }

  private int test(Layout layout, PartitionReport report, long most, PrintWriter out) {
    Prediction own =
        report
            .prediction(layout.rule())
            .orElseThrow(
                () ->
                    new KvException.Permanent(
                        "the keys of collection "
                            + collection.name
                            + " cannot be sharded by "
                            + layout.rule()
                            + ": give the collection's own layout"));
    long largest = own.bytes().max();
    boolean isAbove = largest > most;
    out.printf(
        Locale.ROOT,
        "%s: the largest partition with shard=%s has %,d bytes, %s the threshold of %,d%n",
        isAbove ? "FAILED" : "passed",
        layout.rule(),
        largest,
        isAbove ? "above" : "within",
        most);
    return isAbove ? ExitCode.MISMATCH : ExitCode.OK;
  }

  private LongConsumer progress() {
    PrintWriter err = spec.commandLine().getErr();
    long[] printed = {System.nanoTime()};
    return rows -> {
      long now = System.nanoTime();
      if (now - printed[0] >= LINE_EVERY_NANOS) {
        printed[0] = now;
        err.printf(Locale.ROOT, "advise %s: %,d rows%n", collection.name, rows);
        err.flush();
      }
    };
  }
}
