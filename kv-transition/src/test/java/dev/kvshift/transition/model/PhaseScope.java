package dev.kvshift.transition.model;

import dev.kvshift.spi.Phase;

/**
 * The bounds of one walk through {@link PhaseModel}: how often each thing may happen. Everything
 * else may happen at any time and any number of times.
 *
 * @param from the phase in the initial state
 * @param steps how many steps the coordinator takes, each forward or back
 * @param instances how many instances serve from the start
 * @param joiners how many more may start later
 * @param reads how many reads all instances together begin
 * @param puts how many puts
 * @param deletes how many deletes
 * @param hugePuts how many puts of values that L can hold and S cannot
 * @param losses how many requests or replies get lost, or operations reach their deadline
 * @param crashes how many instances die
 * @param wipes how often S's copy is dropped and begun again, in legacy
 * @param copied whether S holds the initial row; otherwise the copy is still on its way
 */
record PhaseScope(
    Phase from,
    int steps,
    int instances,
    int joiners,
    int reads,
    int puts,
    int deletes,
    int hugePuts,
    int losses,
    int crashes,
    int wipes,
    boolean copied) {

  /** Two instances that nothing happens to. */
  static PhaseScope from(Phase from) {
    return new PhaseScope(from, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, true);
  }

  PhaseScope steps(int n) {
    return new PhaseScope(
        from, n, instances, joiners, reads, puts, deletes, hugePuts, losses, crashes, wipes,
        copied);
  }

  PhaseScope instances(int n) {
    return new PhaseScope(
        from, steps, n, joiners, reads, puts, deletes, hugePuts, losses, crashes, wipes, copied);
  }

  PhaseScope joiners(int n) {
    return new PhaseScope(
        from, steps, instances, n, reads, puts, deletes, hugePuts, losses, crashes, wipes, copied);
  }

  PhaseScope reads(int n) {
    return new PhaseScope(
        from, steps, instances, joiners, n, puts, deletes, hugePuts, losses, crashes, wipes,
        copied);
  }

  PhaseScope puts(int n) {
    return new PhaseScope(
        from, steps, instances, joiners, reads, n, deletes, hugePuts, losses, crashes, wipes,
        copied);
  }

  PhaseScope deletes(int n) {
    return new PhaseScope(
        from, steps, instances, joiners, reads, puts, n, hugePuts, losses, crashes, wipes, copied);
  }

  PhaseScope hugePuts(int n) {
    return new PhaseScope(
        from, steps, instances, joiners, reads, puts, deletes, n, losses, crashes, wipes, copied);
  }

  PhaseScope losses(int n) {
    return new PhaseScope(
        from, steps, instances, joiners, reads, puts, deletes, hugePuts, n, crashes, wipes, copied);
  }

  PhaseScope crashes(int n) {
    return new PhaseScope(
        from, steps, instances, joiners, reads, puts, deletes, hugePuts, losses, n, wipes, copied);
  }

  PhaseScope wipes(int n) {
    return new PhaseScope(
        from, steps, instances, joiners, reads, puts, deletes, hugePuts, losses, crashes, n,
        copied);
  }

  /** S lacks the initial row, which the copy has sent and S has not applied. */
  PhaseScope uncopied() {
    return new PhaseScope(
        from, steps, instances, joiners, reads, puts, deletes, hugePuts, losses, crashes, wipes,
        false);
  }
}
