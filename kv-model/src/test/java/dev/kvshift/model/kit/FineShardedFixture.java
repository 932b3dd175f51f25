package dev.kvshift.model.kit;

import dev.kvshift.api.Capability;
import dev.kvshift.api.Layout;
import java.util.EnumSet;
import java.util.Set;

/** A shard for nearly every key, over what a CQL store can do. */
public final class FineShardedFixture extends ShardedFixture {
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
  public Layout rangeLayout() {
    return Layout.parse("range;shard=bits=13;encoding=1");
  }

  @Override
  public int shardBytes() {
    return 3;
  }
}
