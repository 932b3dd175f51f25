package dev.kvshift.api;

import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.Objects;
import java.util.Set;

/**
 * The result of an attempt to acquire several locks. Each key is in one of three sets. Immutable.
 */
public final class LockResult {
  private final Set<Lock> acquired;
  private final Set<Bytes> busy;
  private final Set<Bytes> unknown;

  private LockResult(Set<Lock> acquired, Set<Bytes> busy, Set<Bytes> unknown) {
    this.acquired = acquired;
    this.busy = busy;
    this.unknown = unknown;
  }

  /**
   * Returns a result.
   *
   * @param acquired the locks that were free
   * @param busy the keys whose locks others hold
   * @param unknown the keys whose outcome is unknown
   */
  public static LockResult of(
      Collection<Lock> acquired, Collection<Bytes> busy, Collection<Bytes> unknown) {
    return new LockResult(ordered(acquired), ordered(busy), ordered(unknown));
  }

  private static <T> Set<T> ordered(Collection<T> elements) {
    return Collections.unmodifiableSet(new LinkedHashSet<>(elements));
  }

  /** Returns the acquired locks, each with its fencing token. */
  public Set<Lock> acquired() {
    return acquired;
  }

  /** Returns the keys whose locks others hold. */
  public Set<Bytes> busy() {
    return busy;
  }

  /**
   * Returns the keys whose outcome is unknown. If such a lock was acquired, it is free again once
   * its lease ends.
   */
  public Set<Bytes> unknown() {
    return unknown;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof LockResult that
        && acquired.equals(that.acquired)
        && busy.equals(that.busy)
        && unknown.equals(that.unknown);
  }

  @Override
  public int hashCode() {
    return Objects.hash(acquired, busy, unknown);
  }

  @Override
  public String toString() {
    return "LockResult[acquired=" + acquired + ", busy=" + busy + ", unknown=" + unknown + "]";
  }
}
