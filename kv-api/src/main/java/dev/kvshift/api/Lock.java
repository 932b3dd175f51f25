package dev.kvshift.api;

import java.time.Instant;
import java.util.Objects;

/**
 * An acquired lock, as its holder knows it.
 *
 * <p>A lock guards only the writes that carry it ({@link WriteOptions#lock(Lock)}): the store
 * refuses a write whose fencing token is below the last one that it has granted for the key.
 * Immutable.
 */
public final class Lock {
  private final String space;
  private final Bytes key;
  private final String owner;
  private final long token;
  private final Instant expires;

  private Lock(String space, Bytes key, String owner, long token, Instant expires) {
    this.space = Objects.requireNonNull(space, "space");
    this.key = Objects.requireNonNull(key, "key");
    this.owner = Objects.requireNonNull(owner, "owner");
    this.token = token;
    this.expires = Objects.requireNonNull(expires, "expires");
  }

  /**
   * Returns a lock, for drivers.
   *
   * @param space the name of the lock space
   * @param key the locked key
   * @param owner a name unique to the attempt that acquired it
   * @param token the fencing token
   * @param expires the end of the lease, by the authority's clock
   */
  public static Lock of(String space, Bytes key, String owner, long token, Instant expires) {
    return new Lock(space, key, owner, token, expires);
  }

  /** Returns the same lock with another end of its lease. */
  public Lock withExpires(Instant newExpires) {
    return new Lock(space, key, owner, token, newExpires);
  }

  /** Returns the name of the lock space. */
  public String space() {
    return space;
  }

  /** Returns the locked key. */
  public Bytes key() {
    return key;
  }

  /** Returns a name unique to the attempt that acquired the lock. */
  public String owner() {
    return owner;
  }

  /** Returns the fencing token, which is above every token granted for the key before. */
  public long token() {
    return token;
  }

  /** Returns the end of the lease, by the authority's clock. */
  public Instant expires() {
    return expires;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Lock that
        && space.equals(that.space)
        && key.equals(that.key)
        && owner.equals(that.owner)
        && token == that.token
        && expires.equals(that.expires);
  }

  @Override
  public int hashCode() {
    return Objects.hash(space, key, owner, token, expires);
  }

  @Override
  public String toString() {
    return "Lock[space="
        + space
        + ", key="
        + key
        + ", owner="
        + owner
        + ", token="
        + token
        + ", expires="
        + expires
        + "]";
  }
}
