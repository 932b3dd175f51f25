package dev.kvshift.testkit.memory;

import dev.kvshift.api.Capability;
import dev.kvshift.memory.MemoryOptions;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.spi.Store;
import dev.kvshift.testkit.fixture.StoreFixture;
import dev.kvshift.testkit.meter.Meter;
import java.util.EnumSet;
import java.util.Set;
import java.util.UUID;

/** The in-memory store without any capability. */
public class BareMemoryFixture implements StoreFixture {
  private final Meter meter = new Meter();
  private final String name = UUID.randomUUID().toString();

  @Override
  public Set<Capability> capabilities() {
    return EnumSet.noneOf(Capability.class);
  }

  @Override
  public Store open() {
    return meter.around(
        MemoryStoreProvider.open(name, MemoryOptions.defaults().without(Capability.values())));
  }

  @Override
  public Meter meter() {
    return meter;
  }

  @Override
  public void close() {}
}
