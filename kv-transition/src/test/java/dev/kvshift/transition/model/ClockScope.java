package dev.kvshift.transition.model;

import dev.kvshift.spi.Phase;

/**
 * The bounds of one walk through {@link ClockModel}: how often each thing may happen. Everything
 * else may happen at any time and any number of times.
 *
 * @param from the phase in the initial state
 * @param steps how many steps the coordinator takes, each forward or back
 * @param instances how many instances serve
 * @param reads how many reads all instances together begin
 * @param puts how many puts
 * @param deletes how many deletes
 * @param losses how many writes reach their deadline
 * @param start what the stores hold in the initial state
 * @param isBackFilled whether the coordinator also takes new-read, in which the key is back-filled
 *     and then read from S alone
 */
record ClockScope(
    Phase from,
    int steps,
    int instances,
    int reads,
    int puts,
    int deletes,
    int losses,
    Start start,
    boolean isBackFilled) {

  /** The content of the stores in the initial state. */
  enum Start {
    /** Both hold the initial row. */
    COPIED,
    /** L holds the initial row, which the copy has sent to S. */
    UNCOPIED,
    /** Neither holds anything. */
    EMPTY
  }

  /** Two instances that nothing happens to. */
  static ClockScope from(Phase from) {
    return new ClockScope(from, 0, 2, 0, 0, 0, 0, Start.COPIED, false);
  }

  ClockScope steps(int n) {
    return new ClockScope(from, n, instances, reads, puts, deletes, losses, start, isBackFilled);
  }

  ClockScope instances(int n) {
    return new ClockScope(from, steps, n, reads, puts, deletes, losses, start, isBackFilled);
  }

  ClockScope reads(int n) {
    return new ClockScope(from, steps, instances, n, puts, deletes, losses, start, isBackFilled);
  }

  ClockScope puts(int n) {
    return new ClockScope(from, steps, instances, reads, n, deletes, losses, start, isBackFilled);
  }

  ClockScope deletes(int n) {
    return new ClockScope(from, steps, instances, reads, puts, n, losses, start, isBackFilled);
  }

  ClockScope losses(int n) {
    return new ClockScope(from, steps, instances, reads, puts, deletes, n, start, isBackFilled);
  }

  ClockScope uncopied() {
    return new ClockScope(
        from, steps, instances, reads, puts, deletes, losses, Start.UNCOPIED, isBackFilled);
  }

  ClockScope empty() {
    return new ClockScope(
        from, steps, instances, reads, puts, deletes, losses, Start.EMPTY, isBackFilled);
  }

  ClockScope backFilled() {
    return new ClockScope(from, steps, instances, reads, puts, deletes, losses, start, true);
  }
}
