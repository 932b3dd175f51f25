package dev.kvshift.model.internal.encoding;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Range.Direction;
import dev.kvshift.api.ShardRule;
import java.util.Arrays;

/**
 * A layout's shard rule at work: which shard a clustering key lies in, and which shards a range can
 * touch. Pure and order-preserving: a lesser key never lies in a greater shard. Immutable.
 */
public abstract sealed class Sharding {
  /**
   * Returns the rule of a layout.
   *
   * @throws KvException.Permanent where the rule does not fit the layout's encoding
   */
  public static Sharding of(Layout layout) {
    if (layout.encoding() > Layout.CURRENT_ENCODING) {
      throw new KvException.Permanent(
          "layout " + layout + " has a newer key encoding than is known: use a newer kvshift");
    }
    if (layout.rule() instanceof ShardRule.FirstBits rule) {
      int codeBits = layout.encoding() == 0 ? 0 : Byte.SIZE;
      return new Bits(codeBits + rule.bits());
    }
    if (layout.rule() instanceof ShardRule.FirstParts rule) {
      if (layout.encoding() == 0) {
        throw new KvException.Permanent(
            "layout "
                + layout
                + " takes parts of keys whose encoding is not ours: shard by bits, or not at all");
      }
      return new Parts(rule.parts());
    }
    return new Whole();
  }

  /**
   * Returns the shard that a clustering key lies in.
   *
   * @throws KvException.Permanent where the rule cannot be applied to the key
   */
  public abstract Bytes shardOf(Bytes clustering);

  /**
   * Returns the shard nearest to a bound on the inner side: no key at or above the bound lies in a
   * lesser shard, none at or below it in a greater one. Any bytes will do for a bound.
   */
  public abstract Bytes shardAt(Bytes bound);

  /**
   * Returns a clustering key to go on from, exclusive, once a shard has been walked to its end. All
   * keys of further shards lie beyond it, and those of earlier ones before it.
   */
  public abstract Bytes past(Bytes shard, Direction direction);

  /** Returns how many bytes a shard has at least. */
  public abstract int leastBytes();

  /** The whole main key is one shard. */
  public static final class Whole extends Sharding {
    @Override
    public Bytes shardOf(Bytes clustering) {
      return Bytes.empty();
    }

    @Override
    public Bytes shardAt(Bytes bound) {
      return Bytes.empty();
    }

    @Override
    public Bytes past(Bytes shard, Direction direction) {
      throw new IllegalStateException("nothing lies past the only shard");
    }

    @Override
    public int leastBytes() {
      return 0;
    }
  }

  /** The first bits, as whole bytes; what a key lacks counts as zero bits. */
  private static final class Bits extends Sharding {
    private static final int BEYOND_BYTES = 8;

    private final int shardBytes;
    private final int unusedBits;

    Bits(int bits) {
      shardBytes = (bits + Byte.SIZE - 1) / Byte.SIZE;
      unusedBits = shardBytes * Byte.SIZE - bits;
    }

    @Override
    public Bytes shardOf(Bytes clustering) {
      byte[] shard = new byte[shardBytes];
      int given = Math.min(shardBytes, clustering.size());
      for (int i = 0; i < given; i++) {
        shard[i] = clustering.at(i);
      }
      shard[shardBytes - 1] &= (byte) (0xff << unusedBits);
      return Bytes.of(shard);
    }

    @Override
    public Bytes shardAt(Bytes bound) {
      return shardOf(bound);
    }

    /**
     * Forward, the shard with all further bits set: few keys of the shard lie beyond, and looking
     * at those again does no harm. Backward, the shortest key that the shard can hold.
     */
    @Override
    public Bytes past(Bytes shard, Direction direction) {
      if (direction == Direction.BACKWARD) {
        int length = shard.size();
        while (length > 0 && shard.at(length - 1) == 0) {
          length--;
        }
        return shard.slice(0, length);
      }
      byte[] last = Arrays.copyOf(shard.toByteArray(), shardBytes + BEYOND_BYTES);
      last[shardBytes - 1] |= (byte) ((1 << unusedBits) - 1);
      Arrays.fill(last, shardBytes, last.length, (byte) 0xff);
      return Bytes.of(last);
    }

    @Override
    public int leastBytes() {
      return shardBytes;
    }
  }

  /** The first parts, whole. No part's bytes begin with another's, so their order is the keys'. */
  private static final class Parts extends Sharding {
    private static final int SHORTEST_PART = 2;

    private final int parts;

    Parts(int parts) {
      this.parts = parts;
    }

    @Override
    public Bytes shardOf(Bytes clustering) {
      int end = cut(clustering);
      if (end < 0) {
        throw new KvException.Permanent(
            "clustering key "
                + clustering
                + " does not begin with "
                + parts
                + " encoded parts, by which its collection is sharded: write it by a model");
      }
      return clustering.slice(0, end);
    }

    /** A bound that does not hold all the parts is as good as the shard it would lie in. */
    @Override
    public Bytes shardAt(Bytes bound) {
      int end = cut(bound);
      return end < 0 ? bound : bound.slice(0, end);
    }

    /** No part begins with 0xff, so that it lies behind all keys that begin with the shard. */
    @Override
    public Bytes past(Bytes shard, Direction direction) {
      return direction == Direction.BACKWARD ? shard : shard.concat(Bytes.of((byte) 0xff));
    }

    @Override
    public int leastBytes() {
      return parts * SHORTEST_PART;
    }

    private int cut(Bytes key) {
      int end = 0;
      for (int part = 0; part < parts && end >= 0; part++) {
        end = PartCode.endOf(key, end);
      }
      return end;
    }
  }
}
