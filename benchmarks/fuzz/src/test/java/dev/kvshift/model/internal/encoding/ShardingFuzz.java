package dev.kvshift.model.internal.encoding;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.fuzz.FuzzTarget;
import java.util.List;

/** Clustering keys and bounds that a sharded store divides. */
public final class ShardingFuzz implements FuzzTarget {
  @Override
  public List<byte[]> seeds() {
    return List.of(new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9}, new byte[] {2, 0, 1});
  }

  @Override
  public void decode(byte[] input) {
    Bytes key = Bytes.of(input);
    for (String rule : List.of("none", "bits=8", "bits=20", "parts=1", "parts=2")) {
      Sharding sharding = Sharding.of(Layout.parse("range;shard=" + rule + ";encoding=1"));
      divide(sharding, key);
    }
  }

  private static void divide(Sharding sharding, Bytes key) {
    try {
      Bytes bound = sharding.shardAt(key);
      FuzzTarget.requireSame(bound, sharding.shardAt(key));
      sharding.shardOf(key);
    } catch (KvException | IllegalArgumentException refused) {
      // The other rules are tried as well.
    }
  }
}
