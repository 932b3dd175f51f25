package dev.kvshift.spi;

import java.time.Duration;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;

/** The options of a fence. Immutable. */
public final class FenceOptions {
  private final Duration lifetime;
  private final Set<String> givenUp;

  private FenceOptions(Duration lifetime, Set<String> givenUp) {
    this.lifetime = lifetime;
    this.givenUp = givenUp;
  }

  /**
   * Returns the options of a fence that gives up nobody.
   *
   * @param lifetime how long until it lifts itself, 1 to 60 s
   */
  public static FenceOptions lasting(Duration lifetime) {
    return new FenceOptions(Objects.requireNonNull(lifetime), Set.of());
  }

  /**
   * Returns the same options with services that may be left behind: a person has decided that they
   * need not be ready, such as clients that will be stopped.
   */
  public FenceOptions givingUp(Set<String> services) {
    return new FenceOptions(lifetime, Set.copyOf(services));
  }

  /** Returns how long until the fence lifts itself. */
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
