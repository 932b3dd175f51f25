package dev.kvshift.migrate.internal.verify;

import com.google.gson.JsonObject;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.stream.TopicRecord;
import dev.kvshift.spi.StoreKey;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.SortedMap;

/** Frees quarantined keys whose newest row has reached the target after all. */
public final class QuarantineReview {
  private static final int MAX_LISTED = 10_000;

  private QuarantineReview() {}

  /**
   * Frees the keys whose newest row has come to the target after all, and returns how many stay.
   */
  public static int settle(Ledger ledger, KeyCheck check) {
    int left = 0;
    SortedMap<String, JsonObject> kept = ledger.list(Ledger.QUARANTINE, MAX_LISTED);
    List<StoreKey> keys = new ArrayList<>();
    List<String> names = new ArrayList<>();
    for (var record : kept.entrySet()) {
      if (record.getValue().has("key")) {
        byte[] key = Base64.getDecoder().decode(record.getValue().get("key").getAsString());
        keys.add(TopicRecord.parseKey(key));
        names.add(record.getKey());
      } else {
        left++;
      }
    }
    List<KeyCheck.Verdict> verdicts = check.check(keys);
    for (int i = 0; i < verdicts.size(); i++) {
      if (verdicts.get(i).kind() == null) {
        ledger.remove(Ledger.QUARANTINE + names.get(i));
      } else {
        left++;
      }
    }
    return left;
  }
}
