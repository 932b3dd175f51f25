package dev.kvshift.model;

import dev.kvshift.api.Continuation;
import dev.kvshift.api.RangePage.Stop;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One page of a range: its entries, why it ended, and where the next page starts.
 *
 * <p>A page can be short or empty without being the last one: only {@link Stop#END} is the end.
 * Immutable.
 *
 * @param entries the entries in the order of the range
 * @param stop why the page ended
 * @param next where the next page starts; null exactly if {@code stop} is {@link Stop#END}
 */
public record TypedPage<C, V>(
    List<TypedEntry<C, V>> entries, Stop stop, @Nullable Continuation next) {
  public TypedPage {
    entries = List.copyOf(entries);
  }
}
