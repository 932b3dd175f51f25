package dev.kvshift.model.internal.encoding;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Range.Direction;
import dev.kvshift.model.Seeds;
import dev.kvshift.model.key.KeyFormat;
import dev.kvshift.model.key.RandomKeys;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Properties of the shard rules on millions of random keys and bounds. */
class ShardingTest {
  private static final int PAIRS = 500_000;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "range;shard=bits=1;encoding=0",
        "range;shard=bits=8;encoding=0",
        "range;shard=bits=13;encoding=0",
        "range;shard=bits=64;encoding=0"
      })
  void bits_rawKeys_keepOrderAndBounds(String layout) throws Exception {
    Seeds.run(
        layout.hashCode(),
        random -> {
          RandomKeys keys = new RandomKeys(random);
          Sharding sharding = Sharding.of(Layout.parse(layout));
          for (int pair = 0; pair < PAIRS; pair++) {
            check(sharding, keys.bytes(9), keys.bytes(9), keys.bytes(9));
          }
        });
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "range;shard=bits=1;encoding=1",
        "range;shard=bits=11;encoding=1",
        "range;shard=parts=1;encoding=1",
        "range;shard=parts=2;encoding=1",
        "range;shard=parts=3;encoding=1"
      })
  void anyRule_encodedKeys_keepOrderAndBounds(String layout) throws Exception {
    Seeds.run(
        layout.hashCode(),
        random -> {
          RandomKeys keys = new RandomKeys(random);
          Sharding sharding = Sharding.of(Layout.parse(layout));
          KeyFormat<List<Object>> format = keys.composite();
          for (int pair = 0; pair < PAIRS; pair++) {
            Bytes left = keys.encodedKey(format);
            Bytes right = keys.encodedKey(format);
            check(sharding, left, right, bound(random, keys, format));
          }
        });
  }

  @Test
  void of_newerEncoding_isRefused() {
    org.assertj.core.api.Assertions.assertThatThrownBy(
            () -> Sharding.of(Layout.parse("range;shard=bits=8;encoding=2")))
        .isInstanceOf(dev.kvshift.api.KvException.Permanent.class)
        .hasMessageContaining("use a newer kvshift");
  }

  /** Draws a bound: a whole key, the beginning of one, an altered one, or any bytes. */
  private static Bytes bound(Random random, RandomKeys keys, KeyFormat<List<Object>> format) {
    Bytes key = keys.encodedKey(format);
    return switch (random.nextInt(4)) {
      case 0 -> key;
      case 1 -> key.slice(0, random.nextInt(key.size() + 1));
      case 2 -> {
        byte[] altered = key.toByteArray();
        altered[random.nextInt(altered.length)] += (byte) (random.nextBoolean() ? 1 : -1);
        yield Bytes.of(altered);
      }
      default -> keys.bytes(12);
    };
  }

  private static void check(Sharding sharding, Bytes left, Bytes right, Bytes bound) {
    Bytes shard = sharding.shardOf(left);
    Bytes other = sharding.shardOf(right);
    int order = shard.compareTo(other);
    if (order != 0 && Integer.signum(order) != Integer.signum(left.compareTo(right))) {
      throw new AssertionError("shards of " + left + " and " + right + " are out of order");
    }
    int side = left.compareTo(bound);
    Bytes edge = sharding.shardAt(bound);
    if ((side >= 0 && shard.compareTo(edge) < 0) || (side <= 0 && shard.compareTo(edge) > 0)) {
      throw new AssertionError(left + " lies outside the shards of the bound " + bound);
    }
    Bytes after = sharding.past(shard, Direction.FORWARD);
    Bytes before = sharding.past(shard, Direction.BACKWARD);
    if (order < 0 && right.compareTo(after) <= 0) {
      throw new AssertionError(right + " is skipped, continuing after the shard of " + left);
    }
    if (order > 0 && right.compareTo(before) >= 0) {
      throw new AssertionError(right + " is skipped, continuing before the shard of " + left);
    }
    if (left.compareTo(before) < 0) {
      throw new AssertionError(left + " would be returned again, continuing before its shard");
    }
    if (shard.compareTo(sharding.shardAt(after)) > 0
        || shard.compareTo(sharding.shardAt(before)) < 0) {
      throw new AssertionError("the page after the shard of " + left + " does not continue there");
    }
  }
}
