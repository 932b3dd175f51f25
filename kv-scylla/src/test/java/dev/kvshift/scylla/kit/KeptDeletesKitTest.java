package dev.kvshift.scylla.kit;

import dev.kvshift.api.Capability;
import dev.kvshift.model.shard.ShardedStore;
import dev.kvshift.scylla.TestStores;
import dev.kvshift.spi.Store;
import dev.kvshift.testkit.DriverKit;
import dev.kvshift.testkit.fixture.UseFixture;
import java.util.EnumSet;
import java.util.Set;

/** The kit on the driver, within the sharded store, if the rows of its deletes stay readable. */
@UseFixture(KeptDeletesKitTest.Fixture.class)
final class KeptDeletesKitTest extends DriverKit {
  /** Opens stores that keep their deletes. */
  public static final class Fixture extends ScyllaFixture {
    @Override
    public Set<Capability> capabilities() {
      EnumSet<Capability> all = EnumSet.of(Capability.LARGE_MAIN_KEYS, Capability.TOMBSTONE_READS);
      all.addAll(super.capabilities());
      return all;
    }

    @Override
    public Store open() {
      return new ShardedStore(
          TestStores.open(TestStores.string(keyspace, "&deletes=kept"), meter()));
    }
  }
}
