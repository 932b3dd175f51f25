package dev.kvshift.model.advise;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.ShardRule;
import dev.kvshift.model.advise.PartitionReport.Distribution;
import dev.kvshift.model.advise.PartitionReport.Prediction;
import dev.kvshift.model.internal.encoding.PartCode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Predicts from the keys of a range collection how large its partitions become under each possible
 * shard rule, and recommends the rule with the fewest partitions that keeps them small.
 *
 * <p>Entries are given main key by main key, each one's in ascending order, as a scan in key order
 * or a sorted sample gives them. Needs memory for the rules (some megabytes), never for the keys.
 * Used by one thread.
 */
public final class PartitionAdvisor {
  private static final int MAX_PARTS = 8;

  private final String collection;
  private final PartitionLimits limits;
  private final int codeBits;
  private final List<Run> bits = new ArrayList<>();
  private final List<Run> parts = new ArrayList<>();
  private final Run whole = new Run(ShardRule.none());
  private int partsInAll;
  private long mains;
  private long entries;
  private long bytes;
  private @Nullable Bytes main;
  private Bytes last = Bytes.empty();

  /** The partition that a rule is in, and those that it has left. */
  private static final class Run {
    final ShardRule rule;
    final SizeHistogram entries = new SizeHistogram();
    final SizeHistogram bytes = new SizeHistogram();
    long entriesBefore;
    long bytesBefore;

    Run(ShardRule rule) {
      this.rule = rule;
    }

    void close(long entriesNow, long bytesNow) {
      if (entriesNow > entriesBefore) {
        entries.add(entriesNow - entriesBefore);
        bytes.add(bytesNow - bytesBefore);
        entriesBefore = entriesNow;
        bytesBefore = bytesNow;
      }
    }
  }

  /**
   * Makes an advisor.
   *
   * @param collection the collection's name, for the report
   * @param encoding the version of its key encoding, as in its layout
   */
  public PartitionAdvisor(String collection, int encoding, PartitionLimits limits) {
    this.collection = collection;
    this.limits = limits;
    this.codeBits = encoding == 0 ? 0 : Byte.SIZE;
    this.partsInAll = encoding == 0 ? 0 : MAX_PARTS;
    for (int length = 1; length <= ShardRule.MAX_LENGTH; length++) {
      bits.add(new Run(ShardRule.firstBits(length)));
    }
    for (int length = 1; length <= partsInAll; length++) {
      parts.add(new Run(ShardRule.firstParts(length)));
    }
  }

  /**
   * Takes note of an entry.
   *
   * @param valueBytes the size of its value
   * @throws KvException.Permanent if the main key's last entry was not a lesser one
   */
  public void add(Bytes mainKey, Bytes clustering, int valueBytes) {
    if (!mainKey.equals(main)) {
      closeAll();
      main = mainKey;
      mains++;
    } else if (clustering.compareTo(last) <= 0) {
      throw new KvException.Permanent(
          "collection "
              + collection
              + ": clustering key "
              + clustering
              + " comes after "
              + last
              + ": give the entries of a main key in ascending order, each once");
    } else {
      leave(clustering);
    }
    countParts(clustering);
    entries++;
    bytes += (long) clustering.size() + valueBytes + limits.entryOverheadBytes();
    last = clustering;
  }

  /** Returns what is known so far; more can be added, as of a new main key. */
  public PartitionReport report() {
    closeAll();
    main = null;
    List<Run> runs = new ArrayList<>();
    runs.add(whole);
    runs.addAll(bits);
    runs.addAll(parts.subList(0, partsInAll));
    List<Prediction> predictions = runs.stream().map(this::prediction).toList();
    ShardRule recommended =
        predictions.stream()
            .filter(Prediction::fits)
            .min(Comparator.comparingLong(Prediction::partitions))
            .map(Prediction::rule)
            .orElse(null);
    return new PartitionReport(
        collection,
        limits,
        mains,
        scaled(entries),
        scaled(bytes),
        distribution(whole.entries),
        distribution(whole.bytes),
        predictions,
        recommended);
  }

  /** Leaves the partitions, of whichever rule, that the key does not lie in. */
  private void leave(Bytes clustering) {
    int equalBytes = 0;
    int shorter = Math.min(last.size(), clustering.size());
    while (equalBytes < shorter && last.at(equalBytes) == clustering.at(equalBytes)) {
      equalBytes++;
    }
    for (int i = Math.max(0, equalBits(clustering, equalBytes) - codeBits); i < bits.size(); i++) {
      bits.get(i).close(entries, bytes);
    }
    int end = 0;
    for (int i = 0; i < partsInAll && end >= 0; i++) {
      end = PartCode.endOf(clustering, end);
      if (end > equalBytes) {
        parts.get(i).close(entries, bytes);
      }
    }
  }

  /** Counts the equal bits in front; what a key lacks counts as zero bits. */
  private int equalBits(Bytes clustering, int equalBytes) {
    int most = (codeBits + ShardRule.MAX_LENGTH) / Byte.SIZE;
    for (int i = equalBytes; i < most; i++) {
      int left = i < last.size() ? last.at(i) & 0xff : 0;
      int right = i < clustering.size() ? clustering.at(i) & 0xff : 0;
      if (left != right) {
        return i * Byte.SIZE + Integer.numberOfLeadingZeros(left ^ right) - 3 * Byte.SIZE;
      }
    }
    return most * Byte.SIZE;
  }

  private void countParts(Bytes clustering) {
    int end = 0;
    for (int i = 0; i < partsInAll; i++) {
      end = PartCode.endOf(clustering, end);
      if (end < 0) {
        partsInAll = i;
      }
    }
  }

  private void closeAll() {
    whole.close(entries, bytes);
    bits.forEach(run -> run.close(entries, bytes));
    parts.forEach(run -> run.close(entries, bytes));
  }

  private Prediction prediction(Run run) {
    Distribution inEntries = distribution(run.entries);
    Distribution inBytes = distribution(run.bytes);
    long partitions = run.entries.count();
    double borders = entries == 0 ? 0 : (partitions - mains) / ((double) entries * limits.scale());
    return new Prediction(
        run.rule,
        partitions,
        inEntries,
        inBytes,
        mains == 0 ? 0 : partitions / (double) mains,
        1 + (limits.pageEntries() - 1) * borders,
        inEntries.p9999() <= limits.maxEntries() && inBytes.p9999() <= limits.maxBytes());
  }

  private Distribution distribution(SizeHistogram sizes) {
    return new Distribution(
        scaled(sizes.percentile(0.5)),
        scaled(sizes.percentile(0.99)),
        scaled(sizes.percentile(0.9999)),
        scaled(sizes.max()));
  }

  private long scaled(long given) {
    return Math.round(given * limits.scale());
  }
}
