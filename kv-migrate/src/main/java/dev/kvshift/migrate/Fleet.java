package dev.kvshift.migrate;

import dev.kvshift.api.Layout;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Store;
import java.time.Duration;
import java.util.List;

/**
 * The processes that use a collection or a lock space, as its leader knows them.
 *
 * @param state the state of the collection's gate
 * @param instances the processes
 */
public record Fleet(Gate.State state, List<Gate.Instance> instances) {
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  /** Copies the list. */
  public Fleet {
    instances = List.copyOf(instances);
  }

  /**
   * Asks the leader.
   *
   * @throws dev.kvshift.api.KvException if it does not answer within 20 s
   */
  public static Fleet read(Store source, String collection, Layout layout) {
    Gate gate = Await.patiently(PATIENCE, () -> source.open(collection, layout, Claim.NONE)).gate();
    return new Fleet(
        Await.patiently(PATIENCE, gate::state), Await.patiently(PATIENCE, gate::instances));
  }

  /**
   * Asks the leader for the processes that take locks of a space.
   *
   * @throws dev.kvshift.api.KvException if it does not answer within 20 s
   */
  public static Fleet ofLocks(Store source, String space) {
    Gate gate = Await.patiently(PATIENCE, () -> source.locks(space).gate());
    return new Fleet(
        Await.patiently(PATIENCE, gate::state), Await.patiently(PATIENCE, gate::instances));
  }
}
