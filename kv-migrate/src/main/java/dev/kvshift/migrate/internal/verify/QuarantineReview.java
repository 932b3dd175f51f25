package dev.kvshift.migrate.internal.verify;

import dev.kvshift.api.Bytes;
import dev.kvshift.migrate.api.Difference;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.internal.ledger.QuarantinedKeys;
import dev.kvshift.migrate.internal.stream.TopicRecord;
import dev.kvshift.spi.StoreKey;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * Releases quarantined keys whose newest row has reached the target after all, or whose loss a
 * person accepts.
 */
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

  /**
   * The losses that a person has accepted.
   *
   * @param digests the digests of those that still are as accepted, sorted
   * @param changed the keys that differ in another way by now
   */
  public record Losses(List<String> digests, List<Difference> changed) {}

  /** Looks at the accepted losses, and forgets those whose key is equal on both sides by now. */
  public Losses losses() {
    List<QuarantinedKeys.Accepted> accepted = quarantined.accepted();
    List<KeyCheck.Verdict> verdicts =
        check.compare(
            accepted.stream()
                .map(loss -> TopicRecord.parseKey(loss.topicKey().toByteArray()))
                .toList());
    List<String> digests = new ArrayList<>();
    List<Difference> changed = new ArrayList<>();
    for (int i = 0; i < accepted.size(); i++) {
      Difference difference = verdicts.get(i).difference();
      if (difference == null) {
        quarantined.settled(accepted.get(i));
      } else if (accepted.get(i).record().covers(difference)) {
        digests.add(accepted.get(i).name());
      } else {
        changed.add(difference);
      }
    }
    return new Losses(digests, changed);
  }

  /**
   * Accepts that quarantined keys are lost: all of them, or none if one is refused.
   *
   * @param digests the digests of the keys
   * @param at the present time
   * @throws MigrationException.CutoverRefused if a key is not quarantined, or if what would be lost
   *     is not the row that was rejected
   */
  public void drop(Collection<String> digests, Instant at) {
    Map<QuarantinedKeys.Entry, Difference> lost = new LinkedHashMap<>();
    for (String digest : digests) {
      QuarantinedKeys.Entry entry = quarantined.find(digest);
      if (entry == null || entry.topicKey() == null) {
        throw refused(digest, "is not quarantined: see the command dead-letters list");
      }
      StoreKey key = TopicRecord.parseKey(entry.topicKey().toByteArray());
      Difference difference = check.compare(List.of(key)).get(0).difference();
      if (difference == null) {
        throw refused(digest, "is equal on both sides by now: give dead-letters retry");
      }
      if (!difference.sourceVersion().equals(OptionalLong.of(entry.record().version()))) {
        throw refused(
            digest, "has another row at the source than the rejected one: give dead-letters retry");
      }
      lost.put(entry, difference);
    }
    lost.forEach((entry, difference) -> quarantined.accept(entry, difference.targetVersion(), at));
  }

  private static MigrationException.CutoverRefused refused(String digest, String why) {
    return new MigrationException.CutoverRefused("no loss was accepted: key " + digest + " " + why);
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
