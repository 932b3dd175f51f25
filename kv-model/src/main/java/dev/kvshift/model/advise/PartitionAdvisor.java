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
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * Predicts the partition sizes of a range collection under each possible shard rule, and recommends
 * the rule with the fewest partitions that keeps the limits.
 *
 * <p>Takes the entries main key by main key, in ascending order within each, as a scan in key order
 * or a sorted sample returns them. A new partition of a rule starts where two neighbours differ
 * within the rule's prefix, so one pass over the entries serves all rules. Memory depends on the
 * number of rules (some megabytes), not on the number of keys. Used by one thread.
 */
public final class PartitionAdvisor {
  private static final int MAX_PARTS = 8;

  private final String collection;
  private final PartitionLimits limits;

  /** Number of bits before those that a rule by bits counts: the first part's type code. */
  private final int codeBits;

  private final Tally whole = new Tally(ShardRule.none());
  private final List<Tally> bits = new ArrayList<>();
  private final List<Tally> parts = new ArrayList<>();

  /** Number of parts that every key so far has, at most {@link #MAX_PARTS}. */
  private int commonParts;

  private long mains;
  private long entries;
  private long bytes;
  private @Nullable Bytes main;
  private Bytes last = Bytes.empty();

  /** The partitions of one rule: the sizes of the complete ones, and the start of the last. */
  private static final class Tally {
    final ShardRule rule;
    final SizeHistogram entries = new SizeHistogram();
    final SizeHistogram bytes = new SizeHistogram();
    long entriesBefore;
    long bytesBefore;

    Tally(ShardRule rule) {
      this.rule = rule;
    }

    /** Ends the current partition, given the totals of the collection so far. */
    void endPartition(long entriesNow, long bytesNow) {
      if (entriesNow > entriesBefore) {
        entries.add(entriesNow - entriesBefore);
        bytes.add(bytesNow - bytesBefore);
        entriesBefore = entriesNow;
        bytesBefore = bytesNow;
      }
    }
  }

  /**
   * Creates an advisor.
   *
   * @param collection the collection's name, for the report
   * @param encoding the key encoding of the collection's layout
   * @param limits the limits that its partitions must keep
   */
  public PartitionAdvisor(String collection, int encoding, PartitionLimits limits) {
    this.collection = collection;
    this.limits = limits;
    this.codeBits = encoding == 0 ? 0 : Byte.SIZE;
    this.commonParts = encoding == 0 ? 0 : MAX_PARTS;
    for (int length = 1; length <= ShardRule.MAX_LENGTH; length++) {
      bits.add(new Tally(ShardRule.firstBits(length)));
    }
    for (int length = 1; length <= commonParts; length++) {
      parts.add(new Tally(ShardRule.firstParts(length)));
    }
  }

  /**
   * Adds an entry.
   *
   * @param mainKey the main key of the entry
   * @param clustering the encoded clustering key of the entry
   * @param valueBytes size of its value, in bytes
   * @throws KvException.Permanent if the clustering key is not greater than the previous one
   */
  public void add(Bytes mainKey, Bytes clustering, int valueBytes) {
    if (!mainKey.equals(main)) {
      endAllPartitions();
      main = mainKey;
      mains++;
    } else if (clustering.compareTo(last) <= 0) {
      throw new KvException.Permanent(
          "collection "
              + collection
              + ": clustering key "
              + clustering
              + " follows "
              + last
              + ": give the entries of a main key in ascending order, each once");
    } else {
      endPartitionsBefore(clustering);
    }
    limitCommonParts(clustering);
    entries++;
    bytes += (long) clustering.size() + valueBytes + limits.entryOverheadBytes();
    last = clustering;
  }

  /** Returns the report of all entries so far. More can be added, starting with a new main key. */
  public PartitionReport report() {
    endAllPartitions();
    main = null;
    List<Tally> tallies = new ArrayList<>();
    tallies.add(whole);
    tallies.addAll(bits);
    tallies.addAll(parts.subList(0, commonParts));
    List<Prediction> predictions = tallies.stream().map(this::prediction).toList();
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

  /** Ends the partition of each rule that puts the key into another shard than the last key. */
  private void endPartitionsBefore(Bytes clustering) {
    int equalBytes = 0;
    int shorter = Math.min(last.size(), clustering.size());
    while (equalBytes < shorter && last.at(equalBytes) == clustering.at(equalBytes)) {
      equalBytes++;
    }
    for (int i = Math.max(0, equalBits(clustering, equalBytes) - codeBits); i < bits.size(); i++) {
      bits.get(i).endPartition(entries, bytes);
    }
    OptionalInt end = OptionalInt.of(0);
    for (int i = 0; i < commonParts && end.isPresent(); i++) {
      end = PartCode.endOf(clustering, end.getAsInt());
      if (end.isPresent() && end.getAsInt() > equalBytes) {
        parts.get(i).endPartition(entries, bytes);
      }
    }
  }

  /** Counts the leading bits that the key and the last key share; missing bits count as zeros. */
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

  /** Drops the rules by parts that the key lacks: such a rule needs those parts in every key. */
  private void limitCommonParts(Bytes clustering) {
    int end = 0;
    for (int i = 0; i < commonParts; i++) {
      OptionalInt next = PartCode.endOf(clustering, end);
      if (next.isEmpty()) {
        commonParts = i;
        return;
      }
      end = next.getAsInt();
    }
  }

  private void endAllPartitions() {
    whole.endPartition(entries, bytes);
    bits.forEach(tally -> tally.endPartition(entries, bytes));
    parts.forEach(tally -> tally.endPartition(entries, bytes));
  }

  private Prediction prediction(Tally tally) {
    Distribution inEntries = distribution(tally.entries);
    Distribution inBytes = distribution(tally.bytes);
    long partitions = tally.entries.count();
    double borders = entries == 0 ? 0 : (partitions - mains) / ((double) entries * limits.scale());
    return new Prediction(
        tally.rule,
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
