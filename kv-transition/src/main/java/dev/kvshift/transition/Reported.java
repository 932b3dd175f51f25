package dev.kvshift.transition;

import dev.kvshift.spi.Gate;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.Store;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** A collection or a lock space that a process reports to the keeper of its gate. */
interface Reported {
  /** Who holds a gate: the old store's leader, or the new store, in its metadata. */
  enum Keeper {
    LEADER,
    NEW_STORE
  }

  /** Returns the name under which its gate is held. */
  String name();

  /** Returns who holds its gate now. */
  default Keeper keeper() {
    return Keeper.LEADER;
  }

  /** Makes sure that the new store holds its gate, before the first report to it. */
  default CompletionStage<?> beginOnNew(Store fresh) {
    return CompletableFuture.completedFuture(null);
  }

  /**
   * Sets the listeners.
   *
   * @param onNewEpoch called when a reply of the leader shows an epoch that is new here
   * @param onLeaseLost called when a request waits for the next report
   */
  void listen(Runnable onNewEpoch, Runnable onLeaseLost);

  /** Opens the new side before it is needed, or checks it again. */
  void prepareNewSide(Runnable onOpened);

  /** Returns what to report; null once there is nothing more to hear. */
  InstanceReport.@Nullable Use report();

  /**
   * Records the answer to a report.
   *
   * @param keeper who was asked
   * @param state the state of the gate that it returned
   * @param sent when the report was sent
   * @return whether there is an epoch to acknowledge at once, so that its step need not wait
   */
  boolean reported(Keeper keeper, Gate.State state, Lease.Moment sent);

  /** Records that a report has failed. */
  void notReported();
}
