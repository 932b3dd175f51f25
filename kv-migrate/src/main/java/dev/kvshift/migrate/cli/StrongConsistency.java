package dev.kvshift.migrate.cli;

import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.KvException;
import dev.kvshift.spi.WeakConsistency;

/**
 * The consistency that a runner's stores need. Below it the runner would see less than services do:
 * a read of one replica misses what another has acknowledged, so an equal comparison would prove
 * nothing.
 */
final class StrongConsistency {
  private StrongConsistency() {}

  /**
   * Refuses a connection string.
   *
   * @param option what the string was given as
   * @throws KvException.Permanent if it asks for less than a majority
   */
  static void require(String option, String connectionString) {
    WeakConsistency.of(ConnectionString.parse(connectionString))
        .ifPresent(
            weak -> {
              throw new KvException.Permanent(
                  "the runner cannot prove anything at consistency="
                      + weak
                      + ", which "
                      + option
                      + " asks for: give LOCAL_QUORUM, or what the services use if that is stronger");
            });
  }
}
