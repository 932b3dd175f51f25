package dev.kvshift.transition.model;

/**
 * The rules of versions in new-only that {@link VersionModel} can switch off: sections 2 and 10 of
 * the protocol.
 */
enum VersionRule {
  /** A process draws no version before the target's time has passed the floor. Off: it does. */
  FLOOR_WAITED,
  /** A version is the process's clock corrected by the measured offset. Off: its own clock. */
  CORRECTED,
  /** The round trip of a measurement is its uncertainty. Off: an answer is of the present. */
  ROUND_TRIP_COUNTED,
  /** The uncertainty grows with the measurement's age, as clocks drift. Off: it does not. */
  DRIFT_COUNTED,
  /** The servers' earliest and latest time count. Off: that of the first one to answer. */
  WORST_SERVER,
  /** A measurement needs an answer of more than half of the servers. Off: of one. */
  MOST_SERVERS,
  /** A measurement that failed is none. Off: it counts, and nothing was found. */
  FAILURE_IS_NONE,
  /** A wall clock that has stepped against the monotonic one is measured first. Off: it is not. */
  STEP_MEASURED,
  /** A step since the request was sent counts. Off: since the answer arrived. */
  STEP_SINCE_SENT,
  /** A process with an uncertainty above the limit draws no version. Off: it does. */
  LIMIT_REFUSES,
  /** A version is above all that the process has drawn. Off: it is the clock alone. */
  ABOVE_DRAWN,
  /** A version is above all that the process has read. Off: it is not. */
  ABOVE_READ
}
