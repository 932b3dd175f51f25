package dev.kvshift.spi;

import dev.kvshift.api.ConnectionString;
import java.util.Optional;
import java.util.Set;

/**
 * Consistencies at which a read may miss a write that was acknowledged at the same consistency. A
 * migration proves that the majority of the target's replicas hold everything, so neither the
 * runner nor a service may use them.
 */
public final class WeakConsistency {
  private static final Set<String> WEAK = Set.of("ANY", "ONE", "TWO", "THREE", "LOCAL_ONE");

  private WeakConsistency() {}

  /** Returns the weak consistency that a connection string asks for; empty if it asks for none. */
  public static Optional<String> of(ConnectionString string) {
    return string.parameter("consistency").filter(WEAK::contains);
  }
}
