package dev.kvshift.testkit;

import dev.kvshift.api.Capability;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.spi.Store;
import java.time.Clock;
import java.time.Duration;
import java.util.Set;

/**
 * What a driver gives to the kit: stores over one and the same data. Made once for the test class
 * that names it and all that are nested in that, with a public constructor without parameters, used
 * by one thread and closed when they have ended.
 */
public interface StoreFixture extends AutoCloseable {
  /** Returns what the store is meant to declare: the kit asserts that it declares just that. */
  Set<Capability> capabilities();

  /** Opens one more store over the same data; the kit closes it. */
  Store open();

  /** Returns the meter on which all stores that this fixture opens note what they ask for. */
  Meter meter();

  /**
   * Returns the server's clock where the test can move it, and the system's otherwise. The kit
   * waits for expiry by moving a {@link TestClock}, and by watching {@link Store#serverTime()}
   * where there is none. Where it can be moved, the store's version clock goes by it too.
   */
  default Clock clock() {
    return Clock.systemUTC();
  }

  /** Returns a time to live that a test can wait for, but that a few requests do not outlast. */
  default Duration shortLife() {
    return clock() instanceof TestClock ? Duration.ofMinutes(1) : Duration.ofSeconds(2);
  }

  /** Returns the layout of the kit's range collections; the clustering keys are plain bytes. */
  default Layout rangeLayout() {
    return Layout.range(new ShardRule.None());
  }

  /** Returns how many bytes the shards of {@link #rangeLayout()} take of a main part's limit. */
  default int shardBytes() {
    return 0;
  }

  /** Returns whether a thread may outlive the store because the process shares it. */
  default boolean mayOutlive(Thread thread) {
    return false;
  }

  /** Stops whatever the fixture has started. */
  @Override
  void close();
}
