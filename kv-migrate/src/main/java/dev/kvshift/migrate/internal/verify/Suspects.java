package dev.kvshift.migrate.internal.verify;

import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The changed keys whose row on the target did not match their newest change.
 *
 * <p>The topic repeats changes after a restart of the stream, so an older change of a key may
 * follow a newer one. If the target has lost the newer one, it matches the older: that must not
 * clear the key. A suspect therefore keeps its newest change, and only a target that matches this
 * one clears it. The reverse, a needless suspect, costs one more read of both sides. Used by one
 * thread.
 */
final class Suspects {
  private final Map<StoreKey, Row> newest = new LinkedHashMap<>();

  /** Compares a change with the target's row after the change was applied. */
  void judge(Row change, @Nullable Row found, Instant now) {
    Row known = newest.get(change.key());
    Row expected = known == null || Row.PRECEDENCE.compare(change, known) > 0 ? change : known;
    if (KeyCheck.isSame(expected, found, now)) {
      newest.remove(change.key());
    } else {
      newest.put(change.key(), expected);
    }
  }

  int size() {
    return newest.size();
  }

  List<StoreKey> keys() {
    return List.copyOf(newest.keySet());
  }

  /** Removes all suspects, once both sides of each were read again. */
  void clear() {
    newest.clear();
  }
}
