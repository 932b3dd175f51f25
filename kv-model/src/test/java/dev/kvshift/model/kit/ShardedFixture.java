package dev.kvshift.model.kit;

import dev.kvshift.api.Capability;
import dev.kvshift.api.Layout;
import dev.kvshift.memory.MemoryOptions;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.model.shard.ShardedStore;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.VersionClock;
import dev.kvshift.testkit.fixture.StoreFixture;
import dev.kvshift.testkit.fixture.TestClock;
import dev.kvshift.testkit.meter.Meter;
import java.util.EnumSet;
import java.util.Set;
import java.util.UUID;

/** Shards of five bits over the in-memory store with every capability. */
public class ShardedFixture implements StoreFixture {
  private final String name = UUID.randomUUID().toString();
  private final TestClock clock = new TestClock();
  private final VersionClock versions = new VersionClock(clock);
  private final Meter meter = new Meter();
  private final Store first = open();

  @Override
  public Set<Capability> capabilities() {
    return EnumSet.allOf(Capability.class);
  }

  @Override
  public final Store open() {
    EnumSet<Capability> missing = EnumSet.complementOf(EnumSet.copyOf(capabilities()));
    missing.add(Capability.LARGE_MAIN_KEYS);
    MemoryOptions options =
        MemoryOptions.defaults()
            .withClock(clock)
            .withVersions(versions)
            .without(missing.toArray(Capability[]::new));
    return new ShardedStore(meter.around(MemoryStoreProvider.open(name, options)));
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
  public Layout rangeLayout() {
    return Layout.parse("range;shard=bits=5;encoding=0");
  }

  @Override
  public int shardBytes() {
    return 1;
  }

  @Override
  public final void close() {
    first.close();
  }
}
