package dev.kvshift.migrate.internal.cutover;

import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.spi.Store;
import java.time.Duration;

/**
 * The last step of a cutover: the target's record becomes active, so that services may write there.
 *
 * @param target the target
 * @param collection the collection's name
 * @param incarnation the incarnation that the migration has filled
 * @param patience how long the target may fail to answer
 */
public record Activation(Store target, String collection, long incarnation, Duration patience) {
  /** Activates the collection. Succeeds if it is active with this floor already. */
  public void run(long floor) {
    Await.patiently(patience, () -> target.activate(collection, floor, incarnation));
  }
}
