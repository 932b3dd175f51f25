package dev.kvshift.migrate.internal.cutover;

import dev.kvshift.migrate.api.CutoverReport;
import dev.kvshift.migrate.api.WritePause;
import dev.kvshift.migrate.internal.ledger.Certificate;
import dev.kvshift.migrate.internal.ledger.CutoverRecord;
import dev.kvshift.migrate.internal.ledger.Event;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.spi.Gate;
import java.time.Duration;

/**
 * The record of an attempt to hand a collection over, and what follows once the source has stopped:
 * the target becomes active above the floor or, if a way back is kept, the time in clock order
 * begins. All of it can be repeated.
 */
public final class HandOver {
  private final Ledger ledger;
  private final Activation activation;

  /** Creates the hand-over to a target. */
  public HandOver(Ledger ledger, Activation activation) {
    this.ledger = ledger;
    this.activation = activation;
  }

  /** Records an attempt, before anything is done. */
  CutoverRecord begin(String attempt) {
    CutoverRecord record = CutoverRecord.begin(attempt, activation.incarnation());
    ledger.put(CutoverRecord.KEY, record);
    return record;
  }

  /**
   * Lets the target follow the move, and records that an attempt has handed the collection over.
   */
  public CutoverReport complete(
      CutoverRecord attempt, int number, Gate.State state, WritePause pause) {
    long startNanos = System.nanoTime();
    activation.follow(state);
    Duration activated = Duration.ofNanos(System.nanoTime() - startNanos);
    CutoverRecord done = attempt.moved(state.floor(), pause.total());
    ledger.put(CutoverRecord.KEY, done);
    ledger.append(Event.moved(done, ledger.require(Certificate.KEY).hash()));
    return new CutoverReport(
        attempt.attempt(), number, state.floor(), activation.incarnation(), pause, activated);
  }
}
