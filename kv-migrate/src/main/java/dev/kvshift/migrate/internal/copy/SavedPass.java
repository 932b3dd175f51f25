package dev.kvshift.migrate.internal.copy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.context.ProgressReporter;
import dev.kvshift.migrate.internal.context.ScanThrottle;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.MergeRecord;
import dev.kvshift.migrate.internal.ledger.Rates;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.transition.MergePass;
import dev.kvshift.transition.MergePass.Position;
import java.time.Clock;
import java.time.Instant;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A pass over both sides in clock order, at the rate of scans, whose progress is saved about once a
 * second: a run that is killed is resumed by the next one, on any machine. Used by one thread.
 *
 * <p>A position says that everything before it is merged, and that is true as long as every
 * instance works in a phase from the pass's beginning on. So a pass resumes only in the epoch in
 * which it began, and one that began before the step into that epoch was complete is not saved: an
 * instance may still have written to one side.
 */
public final class SavedPass {
  private static final long SAVE_INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** A position that is longer is not saved, and the last shorter one stays. */
  private static final int MAX_POSITION_BYTES = 2 << 10;

  private final Ledger ledger;
  private final MigrationOptions options;
  private final Clock clock;
  private final Copy copy;
  private final Gate.State began;
  private final ProgressReporter progress;
  private final ScanThrottle throttle;
  private @Nullable Position reached;
  private Instant beganAt;
  private long reachedNanos = System.nanoTime();
  private long savedNanos = reachedNanos - SAVE_INTERVAL_NANOS;

  /**
   * Creates a pass that begins now.
   *
   * @param copy the copy that it fills
   * @param began the gate's state at its beginning
   * @param progress receives the number of rows read
   */
  public SavedPass(
      Ledger ledger,
      MigrationOptions options,
      Clock clock,
      Copy copy,
      Gate.State began,
      ProgressReporter progress) {
    this.ledger = ledger;
    this.options = options;
    this.clock = clock;
    this.copy = copy;
    this.began = began;
    this.progress = progress;
    this.beganAt = clock.instant();
    this.throttle = Rates.throttle(ledger, options, clock);
  }

  /**
   * Merges everything that is left.
   *
   * @param old the old side's collection
   * @param fresh the new side's collection, as an import opens it
   * @return the pass that has ended
   */
  public MergeRecord run(StoreCollection old, StoreCollection fresh) {
    return run(MergePass.of(old, fresh));
  }

  /** Runs a pass, and repeats what fails for as long as the options' patience. */
  public MergeRecord run(MergePass begun) {
    MergeRecord found = ledger.get(MergeRecord.KEY);
    if (found != null && isSettled() && found.isResumedBy(copy, began.epoch())) {
      reached = found.position();
      beganAt = found.began();
      progress.say("resumes the pass that has stopped at " + found.position().counts());
    }
    MergePass pass = begun.withPace(throttle).withListener(this::reach);
    for (int attempt = 0; ; attempt++) {
      try {
        MergePass.Counts counts = pass.resumedAt(reached).run();
        return end(counts);
      } catch (KvException.Transient | KvException.UnknownOutcome e) {
        if (Thread.currentThread().isInterrupted()
            || System.nanoTime() - reachedNanos >= options.patience().toNanos()) {
          throw e;
        }
        Await.pause(Await.pauseMillis(attempt));
      }
    }
  }

  /** Returns whether every instance had entered the epoch when the pass began. */
  private boolean isSettled() {
    return began.acceptMin() == began.epoch();
  }

  private void reach(Position position) {
    reached = position;
    reachedNanos = System.nanoTime();
    progress.report(position.counts().rows(), OptionalLong.empty());
    if (reachedNanos - savedNanos >= SAVE_INTERVAL_NANOS) {
      save();
      throttle.set(Rates.now(ledger, options, clock));
    }
  }

  private void save() {
    savedNanos = System.nanoTime();
    Position position = reached;
    Bytes at = position == null ? null : position.at();
    if (position != null && isSettled() && (at == null || at.size() <= MAX_POSITION_BYTES)) {
      ledger.put(MergeRecord.KEY, new MergeRecord(copy, began.epoch(), beganAt, position, null));
    }
  }

  private MergeRecord end(MergePass.Counts counts) {
    Position last = Objects.requireNonNull(reached);
    MergeRecord ended =
        new MergeRecord(
            copy,
            began.epoch(),
            beganAt,
            new Position(last.isOnNew(), last.task(), last.at(), counts),
            clock.instant());
    ledger.put(MergeRecord.KEY, ended);
    return ended;
  }
}
