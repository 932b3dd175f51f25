package dev.kvshift.migrate.internal.verify;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.api.VerifyReport.Kind;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.context.SourceCollection;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Compares single keys by reading them on both sides while writers go on: the source, then, once
 * everything committed by then is applied, the target, then the source again. Safe for use by many
 * threads.
 */
public final class KeyCheck {
  private static final int CHUNK = 256;
  private static final int ROUNDS = 50;

  private final SourceCollection source;
  private final StoreCollection target;
  private final Runnable barrier;
  private final Duration timeout;
  private final Duration patience;
  private final Clock clock;

  /**
   * Makes a check.
   *
   * @param barrier returns once everything that the source has committed before is applied
   */
  public KeyCheck(
      SourceCollection source,
      StoreCollection target,
      Runnable barrier,
      Duration timeout,
      Duration patience,
      Clock clock) {
    this.source = source;
    this.target = target;
    this.barrier = barrier;
    this.timeout = timeout;
    this.patience = patience;
    this.clock = clock;
  }

  /**
   * What became of a key.
   *
   * @param kind how it differs; null where it does not
   */
  public record Verdict(
      StoreKey key, @Nullable Kind kind, long sourceVersion, long targetVersion) {}

  /** Returns a verdict for each key, in their order. */
  public List<Verdict> check(List<StoreKey> keys) {
    List<Verdict> verdicts = new ArrayList<>(keys.size());
    for (int from = 0; from < keys.size(); from += CHUNK) {
      verdicts.addAll(checkChunk(keys.subList(from, Math.min(keys.size(), from + CHUNK))));
    }
    return verdicts;
  }

  /** Reads keys on the target, in their order; one that it can never hold is absent. */
  public List<@Nullable Row> readTarget(List<StoreKey> keys) {
    return readAll(keys, this::readTarget);
  }

  private CompletionStage<@Nullable Row> readTarget(StoreKey key) {
    return target
        .get(key, Call.within(timeout))
        .<CompletionStage<@Nullable Row>>handle(
            (row, failed) -> {
              if (failed == null || Await.failure(failed) instanceof KvException.Permanent) {
                return CompletableFuture.completedFuture(row);
              }
              return CompletableFuture.failedFuture(failed);
            })
        .thenCompose(Function.identity());
  }

  /** Returns whether two rows stand for the same live entry, or both for none. */
  public static boolean same(@Nullable Row one, @Nullable Row other, Instant now) {
    Row a = live(one, now);
    Row b = live(other, now);
    if (a == null || b == null) {
      return a == null && b == null;
    }
    return Row.PRECEDENCE.compare(a, b) == 0;
  }

  private List<Verdict> checkChunk(List<StoreKey> keys) {
    Verdict[] verdicts = new Verdict[keys.size()];
    List<Integer> open = new ArrayList<>();
    for (int i = 0; i < keys.size(); i++) {
      open.add(i);
    }
    for (int round = 0; !open.isEmpty(); round++) {
      List<StoreKey> asked = open.stream().map(keys::get).toList();
      List<@Nullable Row> before = readAll(asked, source::get);
      barrier.run();
      List<@Nullable Row> there = readTarget(asked);
      List<@Nullable Row> after = readAll(asked, source::get);
      Instant now = clock.instant();
      List<Integer> unsettled = new ArrayList<>();
      for (int i = 0; i < asked.size(); i++) {
        Row found = there.get(i);
        boolean moving =
            changed(before.get(i), after.get(i))
                || expires(found, now)
                || expires(after.get(i), now);
        if (same(before.get(i), found, now) || same(after.get(i), found, now)) {
          verdicts[open.get(i)] = new Verdict(asked.get(i), null, -1, -1);
        } else if (moving && round < ROUNDS) {
          unsettled.add(open.get(i));
        } else {
          verdicts[open.get(i)] = verdict(asked.get(i), after.get(i), found, now);
        }
      }
      open = unsettled;
      if (!open.isEmpty()) {
        Await.pause(Await.pauseMillis(Math.min(round, 4)));
      }
    }
    return List.of(verdicts);
  }

  private static Verdict verdict(
      StoreKey key, @Nullable Row expected, @Nullable Row found, Instant now) {
    Row here = live(expected, now);
    Row there = live(found, now);
    Kind kind;
    if (there == null) {
      kind = Kind.MISSING;
    } else if (here != null) {
      kind = Kind.DIFFERENT;
    } else {
      boolean deletedLater = expected != null && expected.version() >= there.version();
      kind = deletedLater ? Kind.RESURRECTED : Kind.EXTRA;
    }
    return new Verdict(
        key,
        kind,
        expected == null ? -1 : expected.version(),
        found == null ? -1 : found.version());
  }

  private static boolean changed(@Nullable Row before, @Nullable Row after) {
    return !Objects.equals(before, after);
  }

  /** Whether clocks may disagree on whether the row has expired. */
  private static boolean expires(@Nullable Row row, Instant now) {
    return row != null
        && row.expiry() != null
        && row.expiry().isAfter(now.minus(VersionClock.SKEW_LIMIT))
        && row.expiry().isBefore(now.plus(VersionClock.SKEW_LIMIT));
  }

  private static @Nullable Row live(@Nullable Row row, Instant now) {
    return row == null || row.at(now).isTombstone() ? null : row;
  }

  private List<@Nullable Row> readAll(
      List<StoreKey> keys, Function<StoreKey, CompletionStage<@Nullable Row>> read) {
    List<@Nullable Row> rows = new ArrayList<>(keys.size());
    for (int from = 0; from < keys.size(); from += CHUNK) {
      readChunk(keys.subList(from, Math.min(keys.size(), from + CHUNK)), read, rows);
    }
    return rows;
  }

  private void readChunk(
      List<StoreKey> keys,
      Function<StoreKey, CompletionStage<@Nullable Row>> read,
      List<@Nullable Row> rows) {
    List<CompletionStage<@Nullable Row>> first = new ArrayList<>(keys.size());
    for (StoreKey key : keys) {
      first.add(read.apply(key));
    }
    for (int i = 0; i < keys.size(); i++) {
      StoreKey key = keys.get(i);
      CompletionStage<@Nullable Row> asked = first.get(i);
      boolean[] used = {false};
      rows.add(
          Await.patiently(
              patience,
              () -> {
                if (used[0]) {
                  return read.apply(key);
                }
                used[0] = true;
                return asked;
              }));
    }
  }
}
