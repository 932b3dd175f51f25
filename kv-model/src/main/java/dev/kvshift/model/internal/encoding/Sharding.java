package dev.kvshift.model.internal.encoding;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Range.Direction;
import dev.kvshift.api.ShardRule;
import java.util.Arrays;
import java.util.OptionalInt;

/**
 * A layout's shard rule in action: maps clustering keys to shards, and ranges to the shards that
 * they can touch. Pure and immutable.
 *
 * <p>The one invariant that range reads rest on: <b>a lesser key never has a greater shard.</b> It
 * holds because every shard is a prefix of the encoded clustering key and the encoding preserves
 * order. So the shards in order hold the keys in order.
 */
public abstract sealed class Sharding {
  /**
   * Returns the sharding of a layout.
   *
   * @throws KvException.Permanent if the rule does not fit the layout's key encoding
   */
  public static Sharding of(Layout layout) {
    if (layout.encoding() > Layout.CURRENT_ENCODING) {
      throw new KvException.Permanent(
          "layout "
              + layout
              + " has a key encoding that this version does not know: use a newer kvshift");
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
                + " shards by parts, but its keys were not encoded by kvshift and have none: shard"
                + " by bits, or not at all");
      }
      return new Parts(rule.parts());
    }
    return new Whole();
  }

  /** Returns whether all entries of a main key are in one shard, the empty one. */
  public boolean isWhole() {
    return false;
  }

  /**
   * Returns the shard of a clustering key.
   *
   * @throws KvException.InvalidArgument if the rule cannot be applied to the key
   */
  public abstract Bytes shardOf(Bytes clustering);

  /**
   * Returns the shard at which a range with this bound starts or ends: keys at or above the bound
   * are in this shard or a greater one, keys at or below it in this shard or a lesser one. The
   * bound can be any bytes, not only a key.
   */
  public abstract Bytes shardAt(Bytes bound);

  /**
   * Returns the position, exclusive, from which to continue after a shard was read to its end. The
   * keys of all shards ahead are beyond it, and those of all shards behind are before it.
   */
  public abstract Bytes past(Bytes shard, Direction direction);

  /** Returns the size of the shortest possible shard, in bytes. */
  public abstract int minBytes();

  /** No sharding: all entries of a main key are in the empty shard. */
  private static final class Whole extends Sharding {
    @Override
    public boolean isWhole() {
      return true;
    }

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
      throw new IllegalStateException("there is nothing past the only shard");
    }

    @Override
    public int minBytes() {
      return 0;
    }
  }

  /** The first bits, in whole bytes. Bits that a shorter key lacks count as zeros. */
  private static final class Bits extends Sharding {
    private static final int PAST_BYTES = 8;

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
     * Forward, the shard followed by one bits: the shard may hold few keys beyond that, and reading
     * those twice is harmless. Backward, the shortest key that the shard can hold.
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
      byte[] last = Arrays.copyOf(shard.toByteArray(), shardBytes + PAST_BYTES);
      last[shardBytes - 1] |= (byte) ((1 << unusedBits) - 1);
      Arrays.fill(last, shardBytes, last.length, (byte) 0xff);
      return Bytes.of(last);
    }

    @Override
    public int minBytes() {
      return shardBytes;
    }
  }

  /** The first parts. No part is a prefix of another one, so shards sort as their keys do. */
  private static final class Parts extends Sharding {
    private static final int MIN_PART_BYTES = 2;

    private final int parts;

    Parts(int parts) {
      this.parts = parts;
    }

    @Override
    public Bytes shardOf(Bytes clustering) {
      OptionalInt end = PartCode.endOfFirst(clustering, parts);
      if (end.isEmpty()) {
        throw new KvException.InvalidArgument(
            "clustering key "
                + clustering
                + " does not start with the "
                + parts
                + " encoded parts by which its collection is sharded: write it through a model");
      }
      return clustering.slice(0, end.getAsInt());
    }

    /** A bound without all of the parts sorts among the shards as the shard would. */
    @Override
    public Bytes shardAt(Bytes bound) {
      OptionalInt end = PartCode.endOfFirst(bound, parts);
      return end.isPresent() ? bound.slice(0, end.getAsInt()) : bound;
    }

    /** Forward, the shard followed by 0xff: no part starts with it, so no key is beyond. */
    @Override
    public Bytes past(Bytes shard, Direction direction) {
      return direction == Direction.BACKWARD ? shard : shard.concat(Bytes.of((byte) 0xff));
    }

    @Override
    public int minBytes() {
      return parts * MIN_PART_BYTES;
    }
  }
}
