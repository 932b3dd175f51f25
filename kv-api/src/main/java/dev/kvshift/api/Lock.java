package dev.kvshift.api;

import java.time.Instant;

/**
 * A lock that was acquired, as its holder knows it.
 *
 * <p>It guards only writes that carry it ({@link WriteOptions#lock(Lock)}): the store refuses a
 * write whose token is below the last one granted for the key. Immutable.
 *
 * @param space the lock space
 * @param key what is locked
 * @param owner unique to the attempt that acquired it
 * @param token the fencing token: above every token granted for the key before
 * @param expires when the lease ends, by the authority's clock
 */
public record Lock(String space, Bytes key, String owner, long token, Instant expires) {}
