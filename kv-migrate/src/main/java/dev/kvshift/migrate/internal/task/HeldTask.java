package dev.kvshift.migrate.internal.task;

import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.LedgerKey;
import dev.kvshift.migrate.internal.ledger.SharedRecord;
import dev.kvshift.migrate.internal.ledger.TaskState;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * One attempt of this process at a task. Two fences keep the overlap of two owners harmless:
 *
 * <ul>
 *   <li>The record changes only while it names this owner and this attempt. A process that was
 *       paused for hours and comes back changes nothing, whatever its clock says.
 *   <li>The lease saves work, and proves nothing: the owner counts it from before it asked for the
 *       renewal, by its own monotonic clock, and asks again before it goes on once it is over. A
 *       taker counts from after it has seen the renewal: see {@link TaskWatch}.
 * </ul>
 *
 * <p>Safe for use by many threads: one works, another renews.
 *
 * @param <T> the task's record
 */
public final class HeldTask<T extends SharedRecord<T>> {
  private final Ledger ledger;
  private final LedgerKey<T> key;
  private final String description;
  private final Holder holder;
  private final long attempt;
  private T record;
  private long renewedNanos;
  private boolean isLost;

  private HeldTask(Ledger ledger, Task<T> task, Holder holder, T record, long renewedNanos) {
    this.ledger = ledger;
    this.key = task.key;
    this.description = task.description;
    this.holder = holder;
    this.record = record;
    this.attempt = record.state().attempt();
    this.renewedNanos = renewedNanos;
  }

  /**
   * A task that can be taken.
   *
   * @param key the key of its record
   * @param description its name in errors
   * @param <T> its record
   */
  public record Task<T extends SharedRecord<T>>(LedgerKey<T> key, String description) {}

  /**
   * Begins an attempt.
   *
   * @param found the record that was judged; if it has changed since, nothing is taken
   * @return the attempt, or null if another process was faster, or has removed it
   */
  public static <T extends SharedRecord<T>> @Nullable HeldTask<T> take(
      Ledger ledger, Task<T> task, T found, Holder holder) {
    long askedNanos = holder.nanoTime().getAsLong();
    T taken = found.with(found.state().takenBy(holder.name(), holder.lease()));
    T kept = ledger.updateIfPresent(task.key, now -> now.equals(found) ? taken : now);
    return taken.equals(kept) ? new HeldTask<>(ledger, task, holder, taken, askedNanos) : null;
  }

  /** Returns the record as this attempt has last written it. */
  public synchronized T record() {
    return record;
  }

  /** Returns whether another process may have taken the task meanwhile. */
  public synchronized boolean isExpired() {
    return holder.nanoTime().getAsLong() - renewedNanos >= holder.lease().toNanos();
  }

  /**
   * Makes sure that the task is still this process's own; asks the ledger if the lease is over.
   *
   * @throws TaskLost if it is not
   */
  public synchronized void require() {
    if (isLost) {
      throw new TaskLost(description);
    }
    if (isExpired()) {
      renew();
    }
  }

  /**
   * Asks the ledger whether the task is still this attempt's own; changes nothing.
   *
   * @throws TaskLost if another process has taken it, or a person has taken it back
   */
  public void requireInLedger() {
    T now = ledger.get(key);
    if (now == null || !now.state().isHeldBy(holder.name(), attempt)) {
      throw new TaskLost(description);
    }
  }

  /**
   * Renews the lease.
   *
   * @throws TaskLost if another process has taken the task, or has removed it
   */
  public synchronized void renew() {
    write(now -> record.with(record.state().renewed()));
  }

  /**
   * Saves progress, which renews the lease and ends a row of failures.
   *
   * @throws TaskLost if another process has taken the task; nothing is saved
   */
  public synchronized void save(T progress) {
    write(now -> progress.with(record.state().renewed().advanced()));
  }

  /**
   * Ends the attempt, with the state that the task is left in.
   *
   * @throws TaskLost if another process has taken the task; nothing is changed
   */
  public synchronized void end(UnaryOperator<TaskState> ending) {
    write(now -> record.with(ending.apply(record.state())));
    isLost = true;
  }

  /** Replaces whatever this attempt has written last, also if the outcome of that is unknown. */
  private void write(UnaryOperator<T> change) {
    if (isLost) {
      throw new TaskLost(description);
    }
    long askedNanos = holder.nanoTime().getAsLong();
    T next = change.apply(record);
    T kept =
        ledger.updateIfPresent(
            key, now -> now.state().isHeldBy(holder.name(), attempt) ? next : now);
    if (!next.equals(kept)) {
      isLost = true;
      throw new TaskLost(description);
    }
    record = next;
    renewedNanos = askedNanos;
  }
}
