package dev.kvshift.migrate.internal.verify;

import dev.kvshift.api.Bytes;
import dev.kvshift.migrate.api.Difference;
import dev.kvshift.migrate.internal.ledger.QuarantinedKeys;
import dev.kvshift.migrate.internal.stream.TopicRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;

/** Releases quarantined keys whose newest row has reached the target after all. */
public final class QuarantineReview {
  private static final int BATCH = 256;

  private final QuarantinedKeys quarantined;
  private final KeyCheck check;

  /** Creates a review. */
  public QuarantineReview(QuarantinedKeys quarantined, KeyCheck check) {
    this.quarantined = quarantined;
    this.check = check;
  }

  /** Releases keys that are equal on both sides, and returns the number of keys that stay. */
  public int run() {
    List<QuarantinedKeys.Entry> batch = new ArrayList<>();
    int[] left = {0};
    quarantined.forEach(
        entry -> {
          if (entry.topicKey() == null) {
            left[0]++;
            return;
          }
          batch.add(entry);
          if (batch.size() == BATCH) {
            left[0] += review(batch);
            batch.clear();
          }
        });
    return left[0] + review(batch);
  }

  /**
   * Passes those that differ to a repair, then releases keys that are equal, and returns the number
   * of keys that stay.
   */
  public int retry(Consumer<List<Difference>> repair) {
    quarantined.forEach(
        entry -> {
          Bytes key = entry.topicKey();
          if (key != null) {
            repair.accept(
                KeyCheck.differences(
                    check.check(List.of(TopicRecord.parseKey(key.toByteArray())))));
          }
        });
    return run();
  }

  private int review(List<QuarantinedKeys.Entry> batch) {
    List<KeyCheck.Verdict> verdicts =
        check.check(
            batch.stream()
                .map(entry -> Objects.requireNonNull(entry.topicKey()))
                .map(key -> TopicRecord.parseKey(key.toByteArray()))
                .toList());
    int left = 0;
    for (int i = 0; i < batch.size(); i++) {
      boolean isEqual = verdicts.get(i).difference() == null;
      if (!(isEqual && quarantined.remove(batch.get(i)))) {
        left++;
      }
    }
    return left;
  }
}
