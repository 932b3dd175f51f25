package dev.kvshift.migrate.internal.verify;

import dev.kvshift.migrate.api.Difference;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.context.RunContext;
import dev.kvshift.migrate.internal.ledger.AcceptedLoss;
import dev.kvshift.migrate.internal.ledger.QuarantinedKeys;
import dev.kvshift.migrate.internal.stream.TopicRecord;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Compares single keys while services write. A key is read on the source; then, once everything
 * committed by then is applied, on the target; then on the source again. It is equal if the target
 * agrees with either reading of the source. If it is not and the key was moving, that is, its row
 * changed or its expiry is too close to judge, it is read again, up to 50 times. Safe for use by
 * many threads.
 */
public final class KeyCheck {
  /** Keys that are read concurrently. */
  static final int CHUNK = 256;

  private static final int MAX_ROUNDS = 50;

  /** The time for which every source that shows its deletes remembers one, at least. */
  private static final Duration REMEMBERED_DELETES = Duration.ofDays(1);

  private static final int LONGEST_PAUSE_ATTEMPT = 4;

  private final RunContext context;
  private final Runnable settle;
  private final @Nullable QuarantinedKeys quarantined;

  /**
   * Creates a check that knows of no accepted losses.
   *
   * @param settle returns once everything that the source has committed before is applied
   */
  public KeyCheck(RunContext context, Runnable settle) {
    this(context, settle, null);
  }

  /**
   * Creates a check that leaves out the losses that a person has accepted.
   *
   * @param settle returns once everything that the source has committed before is applied
   * @param quarantined the accepted losses, or null if there can be none
   */
  public KeyCheck(RunContext context, Runnable settle, @Nullable QuarantinedKeys quarantined) {
    this.context = context;
    this.settle = settle;
    this.quarantined = quarantined;
  }

  /**
   * The verdict on a key.
   *
   * @param key the key
   * @param difference how it differs, or null if it does not
   */
  record Verdict(StoreKey key, @Nullable Difference difference) {}

  static List<Difference> differences(List<Verdict> verdicts) {
    List<Difference> differences = new ArrayList<>();
    for (Verdict verdict : verdicts) {
      if (verdict.difference != null) {
        differences.add(verdict.difference);
      }
    }
    return differences;
  }

  /**
   * Returns a verdict for each key, in their order. A key counts as equal also if it differs as a
   * person has accepted: both sides have the same rows as then.
   */
  List<Verdict> check(List<StoreKey> keys) {
    return verdicts(keys, chunk -> withoutAccepted(compareChunk(chunk)));
  }

  /** Returns the keys that differ, in their order, except as a person has accepted. */
  public List<Difference> differing(List<StoreKey> keys) {
    return differences(check(keys));
  }

  /** Returns a verdict for each key, in their order, whatever was accepted. */
  List<Verdict> compare(List<StoreKey> keys) {
    return verdicts(keys, this::compareChunk);
  }

  /** Returns the keys whose loss was accepted. */
  List<StoreKey> acceptedKeys() {
    return List.copyOf(accepted().keySet());
  }

  private static List<Verdict> verdicts(
      List<StoreKey> keys, Function<List<StoreKey>, List<Verdict>> judge) {
    List<Verdict> verdicts = new ArrayList<>(keys.size());
    for (int from = 0; from < keys.size(); from += CHUNK) {
      verdicts.addAll(judge.apply(keys.subList(from, Math.min(keys.size(), from + CHUNK))));
    }
    return verdicts;
  }

  private List<Verdict> withoutAccepted(List<Verdict> verdicts) {
    if (verdicts.stream().allMatch(verdict -> verdict.difference == null)) {
      return verdicts;
    }
    Map<StoreKey, AcceptedLoss> accepted = accepted();
    return verdicts.stream()
        .map(verdict -> isAccepted(verdict, accepted) ? new Verdict(verdict.key, null) : verdict)
        .toList();
  }

  private static boolean isAccepted(Verdict verdict, Map<StoreKey, AcceptedLoss> accepted) {
    AcceptedLoss loss = accepted.get(verdict.key);
    return loss != null && verdict.difference != null && loss.covers(verdict.difference);
  }

  private Map<StoreKey, AcceptedLoss> accepted() {
    Map<StoreKey, AcceptedLoss> accepted = new HashMap<>();
    if (quarantined != null) {
      quarantined
          .accepted()
          .forEach(
              loss ->
                  accepted.put(TopicRecord.parseKey(loss.topicKey().toByteArray()), loss.record()));
    }
    return accepted;
  }

  /**
   * Reads keys on the target, in their order. A key that it can never hold is absent, without being
   * asked for. A read that fails never means absent: it throws.
   */
  List<@Nullable Row> readTarget(List<StoreKey> keys) {
    return readAll(
        keys,
        key ->
            context.target().canHold(key)
                ? context.target().get(key)
                : CompletableFuture.completedFuture(null));
  }

  /** Reads keys on the source, in their order; a key that it can never hold is absent. */
  List<@Nullable Row> readSource(List<StoreKey> keys) {
    return readAll(
        keys,
        key ->
            context.source().canHold(key)
                ? context.source().get(key)
                : CompletableFuture.completedFuture(null));
  }

  /** Returns whether both rows are the same live entry, or both none. */
  public static boolean isSame(@Nullable Row one, @Nullable Row other, Instant now) {
    Row a = live(one, now);
    Row b = live(other, now);
    if (a == null || b == null) {
      return a == null && b == null;
    }
    return Row.PRECEDENCE.compare(a, b) == 0;
  }

  private List<Verdict> compareChunk(List<StoreKey> keys) {
    Verdict[] verdicts = new Verdict[keys.size()];
    List<Integer> open = new ArrayList<>();
    for (int i = 0; i < keys.size(); i++) {
      open.add(i);
    }
    for (int round = 0; !open.isEmpty(); round++) {
      List<StoreKey> asked = open.stream().map(keys::get).toList();
      List<@Nullable Row> before = readSource(asked);
      settle.run();
      List<@Nullable Row> there = readTarget(asked);
      List<@Nullable Row> after = readSource(asked);
      Instant now = context.clock().instant();
      List<Integer> unsettled = new ArrayList<>();
      for (int i = 0; i < asked.size(); i++) {
        StoreKey key = asked.get(i);
        Row found = there.get(i);
        boolean isMoving =
            !Objects.equals(before.get(i), after.get(i))
                || context.isExpiring(expiry(found), now)
                || context.isExpiring(expiry(after.get(i)), now);
        if (isSame(before.get(i), found, now) || isSame(after.get(i), found, now)) {
          verdicts[open.get(i)] = new Verdict(key, null);
        } else if (isMoving && round < MAX_ROUNDS) {
          unsettled.add(open.get(i));
        } else {
          verdicts[open.get(i)] = new Verdict(key, difference(key, after.get(i), found, now));
        }
      }
      open = unsettled;
      if (!open.isEmpty()) {
        Await.pause(Await.pauseMillis(Math.min(round, LONGEST_PAUSE_ATTEMPT)));
      }
    }
    return List.of(verdicts);
  }

  private Difference difference(
      StoreKey key, @Nullable Row expected, @Nullable Row found, Instant now) {
    Row here = live(expected, now);
    Row there = live(found, now);
    Difference.Kind kind;
    if (there == null) {
      kind = Difference.Kind.MISSING;
    } else if (here != null) {
      kind = Difference.Kind.DIFFERENT;
    } else {
      boolean isDeletedLater = expected != null && expected.version() >= there.version();
      kind = isDeletedLater ? Difference.Kind.RESURRECTED : Difference.Kind.EXTRA;
    }
    return new Difference(
        key, kind, version(expected), version(found), isForeign(expected, found, now));
  }

  /**
   * Returns whether the leader has never issued the version of the target's row for this key.
   * Everything on its way to the target was committed by the leader before, and the source was read
   * after the target, so its row, or its tombstone, is at least as new; also while services write.
   * Where the source has none, the leader may have forgotten a delete, but never within a day.
   */
  private boolean isForeign(@Nullable Row expected, @Nullable Row found, Instant now) {
    if (found == null) {
      return false;
    }
    return expected == null
        ? context.source().showsDeletes()
            && found.version() > VersionClock.micros(now.minus(REMEMBERED_DELETES))
        : found.version() > expected.version();
  }

  private static OptionalLong version(@Nullable Row row) {
    return row == null ? OptionalLong.empty() : OptionalLong.of(row.version());
  }

  private static @Nullable Instant expiry(@Nullable Row row) {
    return row == null ? null : row.expiry();
  }

  private static @Nullable Row live(@Nullable Row row, Instant now) {
    return row == null || row.at(now).isTombstone() ? null : row;
  }

  /** Reads the keys of each chunk concurrently. */
  private List<@Nullable Row> readAll(
      List<StoreKey> keys, Function<StoreKey, CompletionStage<@Nullable Row>> read) {
    List<@Nullable Row> rows = new ArrayList<>(keys.size());
    for (int from = 0; from < keys.size(); from += CHUNK) {
      List<StoreKey> chunk = keys.subList(from, Math.min(keys.size(), from + CHUNK));
      List<CompletionStage<@Nullable Row>> sent = new ArrayList<>(chunk.size());
      chunk.forEach(key -> sent.add(read.apply(key)));
      for (int i = 0; i < chunk.size(); i++) {
        StoreKey key = chunk.get(i);
        rows.add(context.await(sent.get(i), () -> read.apply(key)));
      }
    }
    return rows;
  }
}
