package dev.kvshift.migrate.internal.cutover;

import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Store;
import dev.kvshift.transition.ClockEra;
import java.time.Duration;

/**
 * Opens the target's collection: to readers once it has caught up, and as the last step of a
 * cutover to every service.
 *
 * @param target the target
 * @param collection the collection's name
 * @param copy the copy that the migration has filled
 * @param incarnation the incarnation of the target's collection that holds it
 * @param patience how long the target may fail to answer
 */
public record Activation(
    Store target, String collection, Copy copy, long incarnation, Duration patience) {
  /** Activates the collection. Succeeds if it is active with this floor already. */
  public void run(long floor) {
    Await.patiently(patience, () -> target.activate(collection, copy, floor));
  }

  /**
   * Activates the collection that the source has handed over or, if a way back is kept, begins its
   * time in clock order. Can be repeated.
   */
  public void follow(Gate.State moved) {
    if (moved.isClockOrdered()) {
      Await.patiently(patience, () -> ClockEra.begin(target, collection, moved));
    } else {
      run(moved.floor());
    }
  }

  /** Allows readers to open the collection, which holds everything that was copied and streamed. */
  public void openToReaders() {
    Await.patiently(
        patience, () -> CollectionRecord.openToReaders(target.metadata(), collection, copy));
  }
}
