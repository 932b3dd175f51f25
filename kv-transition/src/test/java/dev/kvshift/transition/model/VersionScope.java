package dev.kvshift.transition.model;

import java.util.List;

/**
 * The bounds of one walk through {@link VersionModel}.
 *
 * @param ticks how long it lasts
 * @param servers how far each server's clock is ahead, in ticks
 * @param limit the largest distance between a process's earliest and latest time at which it draws
 *     versions, in ticks: 2 ε
 * @param measurements how often each process measures
 * @param writes how often each process writes
 * @param reads how often each process reads
 * @param failures how many measurements fail
 * @param suspensions how often a machine is suspended
 * @param steps how often somebody sets a wall clock
 * @param drifting whether the clocks of the processes drift
 */
record VersionScope(
    int ticks,
    List<Integer> servers,
    int limit,
    int measurements,
    int writes,
    int reads,
    int failures,
    int suspensions,
    int steps,
    boolean drifting) {

  /** One server; each process measures once and writes once. */
  static VersionScope of(int ticks) {
    return new VersionScope(ticks, List.of(0), 4, 1, 1, 0, 0, 0, 0, false);
  }

  VersionScope servers(Integer... ahead) {
    return new VersionScope(
        ticks,
        List.of(ahead),
        limit,
        measurements,
        writes,
        reads,
        failures,
        suspensions,
        steps,
        drifting);
  }

  VersionScope limit(int n) {
    return new VersionScope(
        ticks, servers, n, measurements, writes, reads, failures, suspensions, steps, drifting);
  }

  VersionScope measurements(int n) {
    return new VersionScope(
        ticks, servers, limit, n, writes, reads, failures, suspensions, steps, drifting);
  }

  VersionScope writes(int n) {
    return new VersionScope(
        ticks, servers, limit, measurements, n, reads, failures, suspensions, steps, drifting);
  }

  VersionScope reads(int n) {
    return new VersionScope(
        ticks, servers, limit, measurements, writes, n, failures, suspensions, steps, drifting);
  }

  VersionScope failures(int n) {
    return new VersionScope(
        ticks, servers, limit, measurements, writes, reads, n, suspensions, steps, drifting);
  }

  VersionScope suspensions(int n) {
    return new VersionScope(
        ticks, servers, limit, measurements, writes, reads, failures, n, steps, drifting);
  }

  VersionScope steps(int n) {
    return new VersionScope(
        ticks, servers, limit, measurements, writes, reads, failures, suspensions, n, drifting);
  }

  VersionScope drifts() {
    return new VersionScope(
        ticks, servers, limit, measurements, writes, reads, failures, suspensions, steps, true);
  }
}
