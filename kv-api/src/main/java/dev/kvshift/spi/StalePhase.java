package dev.kvshift.spi;

import dev.kvshift.api.KvException;
import org.jspecify.annotations.Nullable;

/**
 * The leader's refusal of a request of an older epoch: the collection has moved on to another
 * phase. The request was not applied. The transition store starts the operation again in the new
 * phase; a service that is connected directly sees a {@link KvException.CollectionMoved}.
 */
@SuppressWarnings("serial")
public final class StalePhase extends KvException.CollectionMoved {
  private final long epoch;
  private final Phase phase;
  private final long floor;
  private final transient @Nullable Copy copy;
  private final boolean clockOrdered;

  /**
   * Creates the refusal.
   *
   * @param collection the collection's name
   * @param epoch the leader's current epoch
   * @param phase the leader's current phase
   * @param floor the version above which the new store's own versions begin, in microseconds
   * @param copy the copy that the gate names; null if it names none
   */
  public StalePhase(String collection, long epoch, Phase phase, long floor, @Nullable Copy copy) {
    this(collection, epoch, phase, floor, copy, false);
  }

  private StalePhase(
      String collection,
      long epoch,
      Phase phase,
      long floor,
      @Nullable Copy copy,
      boolean clockOrdered) {
    super(
        collection,
        "is in phase "
            + phase
            + " (epoch "
            + epoch
            + ") and refuses older epochs: connect through transition:// or to the new store");
    this.epoch = epoch;
    this.phase = phase;
    this.floor = floor;
    this.copy = copy;
    this.clockOrdered = clockOrdered;
  }

  /** Returns the same refusal of a collection that is, or is not, ordered by clocks. */
  public StalePhase withClockOrder(boolean isClockOrdered) {
    return new StalePhase(collection(), epoch, phase, floor, copy, isClockOrdered);
  }

  /** Returns whether the leader has handed the collection to the clocks. */
  public boolean isClockOrdered() {
    return clockOrdered;
  }

  /** Returns the leader's current epoch. */
  public long epoch() {
    return epoch;
  }

  /** Returns the leader's current phase. */
  public Phase phase() {
    return phase;
  }

  /** Returns the version above which the new store's own versions begin, in microseconds. */
  public long floor() {
    return floor;
  }

  /** Returns the copy that the gate names, the only one to be taken for the new store's. */
  public @Nullable Copy copy() {
    return copy;
  }
}
