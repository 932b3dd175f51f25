package dev.kvshift.model.advise;

import dev.kvshift.api.ShardRule;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/**
 * The result of a {@link PartitionAdvisor}. Immutable.
 *
 * @param collection the collection's name
 * @param limits the limits that partitions were compared with
 * @param mains number of main keys that were given
 * @param entries number of entries
 * @param bytes size of the entries including their overhead, in bytes
 * @param mainEntries distribution of the number of entries of a main key
 * @param mainBytes distribution of the size of a main key, in bytes
 * @param predictions one for each possible rule: {@code none}, then bits, then parts
 * @param recommended the rule with the fewest partitions that keeps the limits; null if none does
 */
public record PartitionReport(
    String collection,
    PartitionLimits limits,
    long mains,
    long entries,
    long bytes,
    Distribution mainEntries,
    Distribution mainBytes,
    List<Prediction> predictions,
    @Nullable ShardRule recommended) {
  private static final int PLOT_WIDTH = 30;
  private static final int PLOT_DECADE = 10;

  /** A distribution of sizes: those that 50 %, 99 %, 99.99 % and 100 % do not exceed. */
  public record Distribution(long p50, long p99, long p9999, long max) {}

  /**
   * The predicted partitions of a shard rule.
   *
   * @param partitions number of partitions
   * @param entries distribution of the number of entries in a partition
   * @param bytes distribution of the size of a partition, in bytes
   * @param shardsPerMain mean number of shards of a main key
   * @param shardsPerPage mean number of shards that a usual page of a range read touches
   * @param fits whether 99.99 % of the partitions keep the limits
   */
  public record Prediction(
      ShardRule rule,
      long partitions,
      Distribution entries,
      Distribution bytes,
      double shardsPerMain,
      double shardsPerPage,
      boolean fits) {}

  public PartitionReport {
    predictions = List.copyOf(predictions);
  }

  /** Returns the prediction for a rule; empty if the keys do not allow the rule. */
  public Optional<Prediction> prediction(ShardRule rule) {
    return predictions.stream().filter(prediction -> prediction.rule().equals(rule)).findFirst();
  }

  /**
   * Returns the report as text: a table of the rules, without those that change nothing over the
   * previous one. A bar shows the size that 99.99 % of the partitions do not exceed, with ten
   * characters for a factor of ten, drawn with {@code !} if it is above the limits.
   */
  public String toText() {
    StringBuilder text = new StringBuilder();
    text.append(
        line("%s: %,d entries, %,d bytes, %,d main keys", collection, entries, bytes, mains));
    text.append(line("per main key     %14s %14s %14s %14s", "p50", "p99", "p99.99", "max"));
    text.append(row("  entries", mainEntries));
    text.append(row("  bytes", mainBytes));
    text.append(
        line(
            "limits: %,d bytes and %,d entries a partition, for 99.99 %% of them",
            limits.maxBytes(), limits.maxEntries()));
    text.append(
        line(
            "  %-8s %13s %14s %14s %12s %12s %s",
            "rule",
            "partitions",
            "p99.99 bytes",
            "p99.99 entries",
            "shards/main",
            "shards/page",
            "bytes, a factor of ten in 10 #"));
    long shown = -1;
    for (Prediction prediction : predictions) {
      boolean isRecommended = prediction.rule().equals(recommended);
      if (prediction.bytes().p9999() != shown || isRecommended) {
        text.append(
            line(
                "%s %-8s %13d %14d %14d %12.2f %12.2f %s",
                isRecommended ? ">" : " ",
                prediction.rule(),
                prediction.partitions(),
                prediction.bytes().p9999(),
                prediction.entries().p9999(),
                prediction.shardsPerMain(),
                prediction.shardsPerPage(),
                bar(prediction)));
        shown = prediction.bytes().p9999();
      }
    }
    text.append(
        recommended == null
            ? line("no rule keeps the limits: raise them, or give the keys more parts")
            : line("recommended: shard=%s", recommended));
    return text.toString();
  }

  /** Returns the report as a JSON object. */
  public String toJson() {
    StringJoiner rules = new StringJoiner(",", "[", "]");
    for (Prediction prediction : predictions) {
      rules.add(
          String.format(
              Locale.ROOT,
              "{\"rule\":\"%s\",\"partitions\":%d,\"entries\":%s,\"bytes\":%s,"
                  + "\"shardsPerMain\":%.4f,\"shardsPerPage\":%.4f,\"fits\":%b}",
              prediction.rule(),
              prediction.partitions(),
              json(prediction.entries()),
              json(prediction.bytes()),
              prediction.shardsPerMain(),
              prediction.shardsPerPage(),
              prediction.fits()));
    }
    return String.format(
        Locale.ROOT,
        "{\"collection\":\"%s\",\"maxBytes\":%d,\"maxEntries\":%d,\"scale\":%s,\"mains\":%d,"
            + "\"entries\":%d,\"bytes\":%d,\"mainEntries\":%s,\"mainBytes\":%s,"
            + "\"recommended\":%s,\"rules\":%s}",
        collection,
        limits.maxBytes(),
        limits.maxEntries(),
        limits.scale(),
        mains,
        entries,
        bytes,
        json(mainEntries),
        json(mainBytes),
        recommended == null ? "null" : "\"" + recommended + "\"",
        rules);
  }

  private String bar(Prediction prediction) {
    double whole = predictions.get(0).bytes().p9999();
    double share = whole == 0 ? 1 : prediction.bytes().p9999() / whole;
    long length = Math.round(PLOT_WIDTH + PLOT_DECADE * Math.log10(share));
    return (prediction.fits() ? "#" : "!").repeat((int) Math.max(1, length));
  }

  private static String row(String name, Distribution sizes) {
    return line(
        "%-16s %14d %14d %14d %14d", name, sizes.p50(), sizes.p99(), sizes.p9999(), sizes.max());
  }

  private static String line(String format, @Nullable Object... values) {
    return String.format(Locale.ROOT, format, values) + "\n";
  }

  private static String json(Distribution sizes) {
    return String.format(
        Locale.ROOT,
        "{\"p50\":%d,\"p99\":%d,\"p9999\":%d,\"max\":%d}",
        sizes.p50(),
        sizes.p99(),
        sizes.p9999(),
        sizes.max());
  }
}
