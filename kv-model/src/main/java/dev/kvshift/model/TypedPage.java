package dev.kvshift.model;

import dev.kvshift.api.Continuation;
import dev.kvshift.api.RangePage.Stop;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A page of a range: its entries, why it ended, and where the next page starts. Immutable.
 *
 * <p>A page can be short or empty without being the last one: only {@link Stop#END} is the end.
 *
 * @param <C> the type of clustering keys
 * @param <V> the type of values
 */
public final class TypedPage<C, V> {
  private final List<TypedEntry<C, V>> entries;
  private final Stop stop;
  private final @Nullable Continuation next;

  private TypedPage(List<TypedEntry<C, V>> entries, Stop stop, @Nullable Continuation next) {
    this.entries = List.copyOf(entries);
    this.stop = Objects.requireNonNull(stop, "stop");
    this.next = next;
  }

  /**
   * Returns a page.
   *
   * @param next where the next page starts; null exactly if {@code stop} is {@link Stop#END}
   */
  public static <C, V> TypedPage<C, V> of(
      List<TypedEntry<C, V>> entries, Stop stop, @Nullable Continuation next) {
    return new TypedPage<>(entries, stop, next);
  }

  /** Returns the entries in the order of the range. */
  public List<TypedEntry<C, V>> entries() {
    return entries;
  }

  /** Returns why the page ended. */
  public Stop stop() {
    return stop;
  }

  /** Returns where the next page starts; null exactly if {@link #stop()} is {@link Stop#END}. */
  public @Nullable Continuation next() {
    return next;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TypedPage<?, ?> that
        && entries.equals(that.entries)
        && stop == that.stop
        && Objects.equals(next, that.next);
  }

  @Override
  public int hashCode() {
    return Objects.hash(entries, stop, next);
  }

  @Override
  public String toString() {
    return "TypedPage[entries=" + entries + ", stop=" + stop + ", next=" + next + "]";
  }
}
