package dev.kvshift.testkit;

import dev.kvshift.api.Capability;
import dev.kvshift.memory.MemoryOptions;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.VersionClock;
import dev.kvshift.testkit.fixture.StoreFixture;
import dev.kvshift.testkit.fixture.TestClock;
import dev.kvshift.testkit.meter.Meter;
import java.time.Clock;
import java.util.EnumSet;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;

/** The in-memory store behind a driver that is broken in one way, which is set before a launch. */
public final class BrokenFixture implements StoreFixture {
  static final AtomicReference<UnaryOperator<Store>> BREAKING =
      new AtomicReference<>(UnaryOperator.identity());

  private final TestClock clock = new TestClock();
  private final VersionClock versions = new VersionClock(clock);
  private final Meter meter = new Meter();
  private final String name = UUID.randomUUID().toString();

  /** Made by the kit. */
  public BrokenFixture() {}

  @Override
  public Set<Capability> capabilities() {
    return EnumSet.allOf(Capability.class);
  }

  @Override
  public Store open() {
    return BREAKING
        .get()
        .apply(
            meter.around(
                MemoryStoreProvider.open(
                    name, MemoryOptions.defaults().withClock(clock).withVersions(versions))));
  }

  @Override
  public Meter meter() {
    return meter;
  }

  @Override
  public Clock clock() {
    return clock;
  }

  @Override
  public void close() {}
}
