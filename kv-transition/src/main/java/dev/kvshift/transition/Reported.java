package dev.kvshift.transition;

import dev.kvshift.spi.Gate;
import dev.kvshift.spi.InstanceReport;
import org.jspecify.annotations.Nullable;

/** What a process reports to the leader, and hears of it: a collection or a lock space. */
interface Reported {
  /** Returns the name under which the leader holds its gate. */
  String name();

  /**
   * Sets the listeners.
   *
   * @param onNewEpoch called when a reply of the leader shows an epoch that is new here
   * @param onLeaseLost called when a request waits for the next report
   */
  void listen(Runnable onNewEpoch, Runnable onLeaseLost);

  /** Opens the new side before it is needed, or checks it again. */
  void prepareNewSide(Runnable onOpened);

  /** Returns what to report to the leader; null once it no longer needs it. */
  InstanceReport.@Nullable Use report();

  /**
   * Records the leader's answer to a report.
   *
   * @param state the state of the gate that it returned
   * @param sent when the report was sent
   * @return whether there is an epoch to acknowledge at once, so that its step need not wait
   */
  boolean reported(Gate.State state, Lease.Moment sent);

  /** Records that a report has failed. */
  void notReported();
}
