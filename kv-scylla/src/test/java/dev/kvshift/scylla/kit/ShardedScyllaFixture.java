package dev.kvshift.scylla.kit;

import dev.kvshift.api.Capability;
import dev.kvshift.api.Layout;
import dev.kvshift.model.shard.ShardedStore;
import dev.kvshift.spi.Store;
import java.util.EnumSet;
import java.util.Set;

/** The driver as services use it, within the sharded store, with shards of five bits. */
public final class ShardedScyllaFixture extends ScyllaFixture {
  /** For the kit. */
  public ShardedScyllaFixture() {}

  @Override
  public Set<Capability> capabilities() {
    EnumSet<Capability> all = EnumSet.of(Capability.LARGE_MAIN_KEYS);
    all.addAll(super.capabilities());
    return all;
  }

  @Override
  public Store open() {
    return new ShardedStore(super.open());
  }

  @Override
  public Layout rangeLayout() {
    return Layout.parse("range;shard=bits=5;encoding=0");
  }

  @Override
  public int shardBytes() {
    return 1;
  }
}
