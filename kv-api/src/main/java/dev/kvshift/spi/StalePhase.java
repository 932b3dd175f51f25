package dev.kvshift.spi;

import dev.kvshift.api.KvException;

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

  /**
   * Creates the refusal.
   *
   * @param collection the collection's name
   * @param epoch the leader's current epoch
   * @param phase the leader's current phase
   * @param floor the version above which the new store's own versions begin, in microseconds
   */
  public StalePhase(String collection, long epoch, Phase phase, long floor) {
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
}
