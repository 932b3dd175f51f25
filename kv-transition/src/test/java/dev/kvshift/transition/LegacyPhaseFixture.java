package dev.kvshift.transition;

import dev.kvshift.api.Capability;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.memory.MemoryOptions;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreProvider;
import dev.kvshift.spi.VersionClock;
import dev.kvshift.testkit.fixture.StoreFixture;
import dev.kvshift.testkit.fixture.TestClock;
import dev.kvshift.testkit.meter.Meter;
import java.util.Set;
import java.util.UUID;

/** A transition store over two in-memory ones, before its collections have moved. */
public class LegacyPhaseFixture implements StoreFixture {
  private static final ConnectionString STRING =
      ConnectionString.parse("transition://kit?old=memory%3A%2F%2Fold&new=memory%3A%2F%2Fnew");

  private final String name = UUID.randomUUID().toString();
  private final TestClock clock = new TestClock();
  private final VersionClock versions = new VersionClock(clock);
  private final Meter meter = new Meter();
  final Store oldSide = side("old");
  final Store newSide = side("new");

  private Store side(String side) {
    Store store =
        MemoryStoreProvider.open(
            name + "-" + side, MemoryOptions.defaults().withClock(clock).withVersions(versions));
    return isMetered(side) ? meter.around(store) : store;
  }

  /** Returns whether the requests to a side, {@code old} or {@code new}, count for the meter. */
  boolean isMetered(String side) {
    return true;
  }

  @Override
  public Set<Capability> capabilities() {
    return Set.of(
        Capability.EXPIRY, Capability.RANGES, Capability.LARGE_MAIN_KEYS, Capability.LOCKS);
  }

  @Override
  public Store open() {
    return new TransitionProvider()
        .open(
            STRING,
            new StoreProvider.Context() {
              @Override
              public Store open(ConnectionString nested) {
                return side(nested.hosts().get(0).name());
              }

              @Override
              public VersionClock clock() {
                return versions;
              }
            });
  }

  @Override
  public final Meter meter() {
    return meter;
  }

  @Override
  public final TestClock clock() {
    return clock;
  }

  @Override
  public final void close() {
    oldSide.close();
    newSide.close();
  }
}
