package dev.kvshift.model;

import dev.kvshift.api.KvException;
import dev.kvshift.api.Outcome;
import java.util.Objects;

/**
 * One entry of a page. Immutable.
 *
 * <p>A stored key or value that the model cannot decode fails its own entry, when it is asked for,
 * and not the page: one wrong row does not hide the others.
 *
 * @param <C> the type of its clustering key
 * @param <V> the type of its value
 */
public final class TypedEntry<C, V> {
  private final Outcome<C> clustering;
  private final Outcome<V> value;

  private TypedEntry(Outcome<C> clustering, Outcome<V> value) {
    this.clustering = Objects.requireNonNull(clustering, "clustering");
    this.value = Objects.requireNonNull(value, "value");
  }

  /** Returns an entry. */
  public static <C, V> TypedEntry<C, V> of(C clustering, V value) {
    return new TypedEntry<>(Outcome.ok(clustering), Outcome.ok(value));
  }

  /** Returns an entry whose key and value have each been decoded, or not. */
  static <C, V> TypedEntry<C, V> decoded(Outcome<C> clustering, Outcome<V> value) {
    return new TypedEntry<>(clustering, value);
  }

  /**
   * Returns the clustering key.
   *
   * @throws KvException.Permanent if the model cannot decode it; the error names the entry
   */
  public C clustering() {
    return clustering.orThrow();
  }

  /**
   * Returns the value.
   *
   * @throws KvException.Permanent if the model cannot decode it; the error names the entry
   */
  public V value() {
    return value.orThrow();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TypedEntry<?, ?> that
        && clustering.equals(that.clustering)
        && value.equals(that.value);
  }

  @Override
  public int hashCode() {
    return Objects.hash(clustering, value);
  }

  @Override
  public String toString() {
    return "TypedEntry[clustering=" + clustering + ", value=" + value + "]";
  }
}
