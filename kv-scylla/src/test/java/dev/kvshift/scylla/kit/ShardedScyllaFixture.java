package dev.kvshift.scylla.kit;

import dev.kvshift.api.Capability;
import dev.kvshift.api.Layout;
import dev.kvshift.model.shard.ShardedStore;
import dev.kvshift.scylla.RecordedStatements;
import dev.kvshift.scylla.TestStores;
import dev.kvshift.spi.Store;
import dev.kvshift.testkit.fixture.StoreFixture;
import dev.kvshift.testkit.meter.Meter;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Set;

/** The driver as services use it, within the sharded store, with shards of five bits. */
public final class ShardedScyllaFixture implements StoreFixture {
  private final Meter meter = new Meter();
  private final String keyspace = TestStores.newKeyspace();

  /** For the kit. */
  public ShardedScyllaFixture() {}

  @Override
  public Set<Capability> capabilities() {
    return EnumSet.of(
        Capability.EXPIRY,
        Capability.VERSIONED_WRITES,
        Capability.RANGES,
        Capability.LARGE_MAIN_KEYS,
        Capability.DROP,
        Capability.SCAN,
        Capability.LOCKS,
        Capability.METADATA);
  }

  @Override
  public Store open() {
    return new ShardedStore(TestStores.open(keyspace, meter));
  }

  @Override
  public Meter meter() {
    return meter;
  }

  @Override
  public Duration shortLife() {
    return Duration.ofSeconds(1);
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
  public void close() {
    TestStores.drop(keyspace);
    RecordedStatements.assertClean();
  }
}
