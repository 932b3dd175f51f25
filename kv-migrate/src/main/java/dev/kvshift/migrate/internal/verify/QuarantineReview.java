package dev.kvshift.migrate.internal.verify;

import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.QuarantinedKey;
import dev.kvshift.migrate.internal.stream.TopicRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** Releases quarantined keys whose newest row has reached the target after all. */
public final class QuarantineReview {
  private static final int BATCH = 256;

  private final Ledger ledger;
  private final KeyCheck check;

  /** Creates a review. */
  public QuarantineReview(Ledger ledger, KeyCheck check) {
    this.ledger = ledger;
    this.check = check;
  }

  private record Entry(String name, QuarantinedKey key) {}

  /** Releases keys that are equal on both sides, and returns how many stay. */
  public int run() {
    List<Entry> batch = new ArrayList<>();
    int[] left = {0};
    ledger.forEach(
        QuarantinedKey.ALL,
        (name, key) -> {
          if (key.topicKey() == null) {
            left[0]++;
          } else {
            batch.add(new Entry(name, key));
          }
          if (batch.size() == BATCH) {
            left[0] += review(batch);
            batch.clear();
          }
        });
    return left[0] + review(batch);
  }

  private int review(List<Entry> batch) {
    List<KeyCheck.Verdict> verdicts =
        check.check(
            batch.stream()
                .map(entry -> Objects.requireNonNull(entry.key.topicKey()))
                .map(key -> TopicRecord.parseKey(key.toByteArray()))
                .toList());
    int left = 0;
    for (int i = 0; i < batch.size(); i++) {
      Entry entry = batch.get(i);
      boolean isEqual = verdicts.get(i).difference() == null;
      if (!(isEqual && ledger.remove(QuarantinedKey.ALL.in(entry.name), entry.key))) {
        left++;
      }
    }
    return left;
  }
}
