package dev.kvshift.migrate.internal.backfill;

import com.google.common.collect.Lists;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.migrate.api.BackFillReport;
import dev.kvshift.migrate.api.Difference;
import dev.kvshift.migrate.api.KeyList;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.internal.apply.TargetWriter;
import dev.kvshift.migrate.internal.context.ProgressReporter;
import dev.kvshift.migrate.internal.context.RateWindow;
import dev.kvshift.migrate.internal.context.RunContext;
import dev.kvshift.migrate.internal.context.ScanThrottle;
import dev.kvshift.migrate.internal.context.WorkerPool;
import dev.kvshift.migrate.internal.ledger.BackFillRecord;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.verify.KeyCheck;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.transition.BackFilledKeys;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Copies the rows of listed main keys, in the order of the list, while services write, and compares
 * each of them afterwards. It works on several batches of keys at once. What is done is saved about
 * once a second, as the number of keys and the digest of exactly those, so that a run that is
 * killed is resumed by the next one, on any machine, and a list may grow at its end. A list whose
 * beginning has changed begins again, as does one of another epoch.
 *
 * <p>The list is read twice: a line that is no key is found before anything is sent. For one
 * thread.
 */
public final class BackFill {
  /** Keys of a batch, which one thread does. */
  static final int BATCH_KEYS = 20;

  private static final long SAVE_INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final Scope scope;
  private final Supplier<KeyBatch> batches;
  private final WorkerPool workers;
  private final RateWindow rate = new RateWindow();
  private final List<Difference> differences = new ArrayList<>();
  private long savedNanos = System.nanoTime();

  /**
   * What a back-fill works on.
   *
   * @param ledger keeps what is done
   * @param options limits
   * @param clock tells when
   * @param copy the copy that it fills
   * @param began the gate's state at its beginning
   * @param progress receives the number of keys that are done
   */
  public record Scope(
      Ledger ledger,
      MigrationOptions options,
      Clock clock,
      Copy copy,
      Gate.State began,
      ProgressReporter progress) {}

  /**
   * The beginning of a list that is done.
   *
   * @param digest the digest of its keys
   * @param counts their number, and what was done
   */
  private record Done(String digest, BackFillReport.Counts counts) {}

  private BackFill(Scope scope, WorkerPool workers, Supplier<KeyBatch> batches) {
    this.scope = scope;
    this.workers = workers;
    this.batches = batches;
  }

  /** Returns a back-fill from a source with a leader, whose changes are applied meanwhile. */
  public static BackFill led(Scope scope, RunContext context, TargetWriter writer, KeyCheck check) {
    return new BackFill(scope, context.workers(), () -> new LedBatch(context, writer, check));
  }

  /**
   * Returns a back-fill from a source without a leader.
   *
   * @param old the old side's collection
   * @param fresh the new side's collection, as an import opens it
   * @param keys takes the marks of main keys that are done; null if no reads follow them
   */
  public static BackFill byClock(
      Scope scope,
      StoreCollection old,
      StoreCollection fresh,
      ScanThrottle throttle,
      WorkerPool workers,
      @Nullable BackFilledKeys keys) {
    ClockBatch.Marks marks = keys == null ? null : new ClockBatch.Marks(keys, scope.began.epoch());
    return new BackFill(
        scope, workers, () -> new ClockBatch(old, fresh, scope.options, throttle, marks));
  }

  /**
   * Back-fills what is left of a list.
   *
   * @param alive called about once a second; what it throws ends the back-fill
   * @throws KvException.Permanent if a line is no key, before anything is sent, or if the list has
   *     changed while it was read
   */
  public BackFillReport run(KeyList list, Runnable alive) {
    BackFillRecord found = scope.ledger.get(BackFillRecord.KEY);
    Done begun = new Done("", BackFillReport.Counts.NONE);
    long total;
    String whole;
    try (KeyList.Reader all = list.open()) {
      long known =
          found == null || !isSettled() ? 0 : found.doneFor(scope.copy, scope.began.epoch());
      skip(all, known);
      String beginning = all.digest();
      skip(all, Long.MAX_VALUE);
      total = all.keys();
      whole = all.digest();
      if (found != null && known > 0 && beginning.equals(found.digest())) {
        if (total > known) { // or it was done, and is compared again
          begun = new Done(beginning, found.report().counts());
          scope.progress.say("resumes the list after " + known + " keys");
        }
      } else if (known > 0) {
        scope.progress.say("the list begins with other keys than before: begins at its first key");
      }
    }
    try (KeyList.Reader reader = list.open()) {
      skip(reader, begun.counts.keys());
      if (begun.counts.keys() > 0 && !reader.digest().equals(begun.digest)) {
        throw changed();
      }
      Done done = run(reader, begun, total, alive);
      if (!done.digest.equals(whole)) {
        throw changed();
      }
      BackFillReport ended = save(done, total, true);
      return new BackFillReport(done.counts, total, 0, ended.at(), true, differences);
    }
  }

  private Done run(KeyList.Reader reader, Done begun, long total, Runnable alive) {
    int batchesAtOnce = scope.options.copyWorkers();
    Done done = begun;
    try {
      alive.run();
      while (true) {
        List<Bytes> keys = reader.next(batchesAtOnce * BATCH_KEYS);
        BackFillReport.Counts counts = fill(Lists.partition(keys, BATCH_KEYS), batchesAtOnce);
        done = new Done(reader.digest(), done.counts.plus(counts));
        if (keys.isEmpty()) {
          return done;
        }
        rate.add(System.nanoTime(), reader.keys());
        scope.progress.report(reader.keys(), OptionalLong.of(total));
        if (System.nanoTime() - savedNanos >= SAVE_INTERVAL_NANOS) {
          save(done, total, false);
          alive.run();
        }
      }
    } catch (RuntimeException e) {
      saveAfter(e, done, total);
      throw e;
    }
  }

  private BackFillReport.Counts fill(List<List<Bytes>> keys, int batchesAtOnce) {
    List<KeyBatch> filled = Collections.synchronizedList(new ArrayList<>());
    workers.forEach(
        keys,
        batchesAtOnce,
        some -> {
          KeyBatch batch = batches.get();
          batch.fill(some);
          filled.add(batch);
        });
    BackFillReport.Counts counts = BackFillReport.Counts.NONE;
    for (KeyBatch batch : filled) {
      counts = counts.plus(batch.counts());
      batch.differences().stream()
          .limit(scope.options.listedDifferences() - (long) differences.size())
          .forEach(differences::add);
    }
    return counts;
  }

  private void saveAfter(RuntimeException failure, Done done, long total) {
    try {
      save(done, total, false);
    } catch (RuntimeException notSaved) {
      failure.addSuppressed(notSaved);
    }
  }

  /** Saves what is done, unless an instance had not entered the epoch when it was begun. */
  private BackFillReport save(Done done, long total, boolean isEnded) {
    savedNanos = System.nanoTime();
    BackFillReport report =
        new BackFillReport(
            done.counts, total, rate.perSecond(), scope.clock.instant(), isEnded, List.of());
    if (isSettled()) {
      scope.ledger.put(
          BackFillRecord.KEY,
          new BackFillRecord(scope.copy, scope.began.epoch(), done.digest, report));
    }
    return report;
  }

  private boolean isSettled() {
    return scope.began.acceptMin() == scope.began.epoch();
  }

  private static void skip(KeyList.Reader reader, long keys) {
    int read = 1;
    for (long left = keys; left > 0 && read > 0; left -= read) {
      read = reader.next((int) Math.min(left, BATCH_KEYS)).size();
    }
  }

  private static KvException changed() {
    return new KvException.Permanent(
        "the list of keys has changed while it was read: what was copied is right, so let the list"
            + " be, and give the command again");
  }

  /** Returns the last back-fill of a copy, as far as it was saved; null if there was none. */
  public static @Nullable BackFillReport last(Ledger ledger) {
    BackFillRecord found = ledger.get(BackFillRecord.KEY);
    return found == null ? null : found.report();
  }
}
