package dev.kvshift.model;

import dev.kvshift.api.Continuation;
import dev.kvshift.api.RangePage.Stop;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One page of a range read: the entries, why it ended here, and where to go on.
 *
 * <p>A page can be short or empty and still not be the last: only {@link Stop#END} is the end.
 * Immutable.
 *
 * @param entries in the order of the range
 * @param stop why the page ended
 * @param next where the next page begins; null exactly when {@code stop} is {@link Stop#END}
 */
public record TypedPage<C, V>(
    List<TypedEntry<C, V>> entries, Stop stop, @Nullable Continuation next) {
  public TypedPage {
    entries = List.copyOf(entries);
  }
}
