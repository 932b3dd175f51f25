package dev.kvshift.spi;

import java.time.Duration;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;

/** The options of a fence: its lifetime, and the services that need not be ready. Immutable. */
public final class FenceOptions {
  private final Duration lifetime;
  private final Set<String> givenUp;

  private FenceOptions(Duration lifetime, Set<String> givenUp) {
    this.lifetime = lifetime;
    this.givenUp = givenUp;
  }

  /**
   * Returns the options of a fence for which every service must be ready.
   *
   * @param lifetime the time after which the leader lifts it, 1 to 60 s
   */
  public static FenceOptions lasting(Duration lifetime) {
    return new FenceOptions(Objects.requireNonNull(lifetime), Set.of());
  }

  /**
   * Returns the same options with services that a person has given up, such as clients that will be
   * stopped: they need not be ready.
   *
   * @param services the services' names; they replace those given before
   */
  public FenceOptions givingUp(Set<String> services) {
    return new FenceOptions(lifetime, Set.copyOf(services));
  }

  /** Returns the time after which the leader lifts the fence. */
  public Duration lifetime() {
    return lifetime;
  }

  /** Returns the services that need not be ready. */
  public Set<String> givenUp() {
    return givenUp;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof FenceOptions that
        && lifetime.equals(that.lifetime)
        && givenUp.equals(that.givenUp);
  }

  @Override
  public int hashCode() {
    return Objects.hash(lifetime, givenUp);
  }

  @Override
  public String toString() {
    return lifetime + (givenUp.isEmpty() ? "" : ", giving up " + new TreeSet<>(givenUp));
  }
}
