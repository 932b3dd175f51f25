package dev.kvshift.migrate.internal.verify;

import dev.kvshift.api.Bytes;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.QuarantinedKey;
import dev.kvshift.migrate.internal.stream.TopicRecord;
import dev.kvshift.spi.StoreKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Releases quarantined keys whose newest row has reached the target after all. */
public final class QuarantineReview {
  private static final int MAX_LISTED = 10_000;

  private final Ledger ledger;
  private final KeyCheck check;

  /** Creates a review. */
  public QuarantineReview(Ledger ledger, KeyCheck check) {
    this.ledger = ledger;
    this.check = check;
  }

  /** Releases keys that are equal on both sides, and returns how many stay. */
  public int run() {
    int left = 0;
    List<StoreKey> keys = new ArrayList<>();
    List<String> names = new ArrayList<>();
    for (Map.Entry<String, QuarantinedKey> record :
        ledger.list(QuarantinedKey.ALL, MAX_LISTED).entrySet()) {
      Bytes topicKey = record.getValue().topicKey();
      if (topicKey == null) {
        left++;
      } else {
        keys.add(TopicRecord.parseKey(topicKey.toByteArray()));
        names.add(record.getKey());
      }
    }
    List<KeyCheck.Verdict> verdicts = check.check(keys);
    for (int i = 0; i < verdicts.size(); i++) {
      if (verdicts.get(i).difference() == null) {
        ledger.remove(QuarantinedKey.ALL.in(names.get(i)));
      } else {
        left++;
      }
    }
    return left;
  }
}
