package dev.kvshift.demo.writer;

import java.time.Duration;
import java.time.Instant;

/**
 * A write as the journal records it before it is sent.
 *
 * @param key the number of its key within the journal, from 0
 * @param operation its effect
 * @param sent when it was sent
 */
record JournaledWrite(int key, Operation operation, Instant sent) {
  /** The effect of a write. */
  sealed interface Operation {}

  /** Writes a revision that does not expire. */
  record Put(long revision) implements Operation {}

  /** Writes a revision that expires. */
  record PutExpiring(long revision, Duration ttl) implements Operation {}

  /** Deletes the entry. */
  record Delete() implements Operation {}

  /** Returns the value of the key if this was applied and its last attempt had ended by then. */
  PossibleValue result(Instant ended) {
    if (operation instanceof Put put) {
      return new PossibleValue.Live(put.revision());
    }
    if (operation instanceof PutExpiring put) {
      return new PossibleValue.Expiring(
          put.revision(), sent.plus(put.ttl()), ended.plus(put.ttl()));
    }
    return new PossibleValue.Absent();
  }
}
