package dev.kvshift.testkit.example;

import dev.kvshift.api.Capability;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.VersionClock;
import dev.kvshift.testkit.fixture.StoreFixture;
import dev.kvshift.testkit.fixture.TestClock;
import dev.kvshift.testkit.meter.Meter;
import java.time.Clock;
import java.util.Set;

/** The fixture of the example driver: all of its stores show the same shelf. */
public final class ShelfFixture implements StoreFixture {
  private final Shelf shelf = Shelf.of("kit");
  private final Meter meter = new Meter();
  private final TestClock clock = new TestClock();
  private final VersionClock versions = new VersionClock(clock);

  @Override
  public Set<Capability> capabilities() {
    return ShelfStore.CAPABILITIES;
  }

  @Override
  public Store open() {
    return meter.around(new ShelfStore(shelf, versions, clock));
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
