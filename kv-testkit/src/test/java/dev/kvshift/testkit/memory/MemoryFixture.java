package dev.kvshift.testkit.memory;

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

/** The in-memory store with every capability. */
public class MemoryFixture implements StoreFixture {
  private final TestClock clock = new TestClock();
  private final VersionClock versions = new VersionClock(clock);
  private final Meter meter = new Meter();
  private final String name = UUID.randomUUID().toString();

  @Override
  public Set<Capability> capabilities() {
    return EnumSet.allOf(Capability.class);
  }

  @Override
  public Store open() {
    return meter.around(
        MemoryStoreProvider.open(
            name, MemoryOptions.defaults().withClock(clock).withVersions(versions)));
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
