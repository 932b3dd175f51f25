package dev.kvshift.model.key;

import dev.kvshift.api.Bytes;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;

/** Random keys, near to one another so that bounds and prefixes meet. */
public final class RandomKeys {
  private static final byte[] NASTY = {0, 1, 2, 'a', 'b', 0x7f, (byte) 0x80, (byte) 0xfe, -1};

  private final Random random;

  public RandomKeys(Random random) {
    this.random = random;
  }

  /** Returns up to so many bytes that tend to be special ones. */
  public Bytes bytes(int maxSize) {
    byte[] bytes = new byte[random.nextInt(maxSize + 1)];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] =
          random.nextInt(4) == 0 ? (byte) random.nextInt(256) : NASTY[random.nextInt(NASTY.length)];
    }
    return Bytes.of(bytes);
  }

  /** Returns a key of the format of {@link #composite}, encoded. */
  public Bytes encodedKey(KeyFormat<List<Object>> format) {
    return format.encode(List.of(bytes(3), number(), text()));
  }

  /** Returns a format of three parts with random directions. */
  public KeyFormat<List<Object>> composite() {
    KeyFormat<Bytes> first = Keys.bytes();
    KeyFormat<Long> second = Keys.int64();
    KeyFormat<String> third = Keys.string();
    return Keys.composite(
            random.nextBoolean() ? first : first.descending(),
            random.nextBoolean() ? second : second.descending(),
            random.nextBoolean() ? third : third.descending())
        .as(
            (a, b, c) -> List.<Object>of(a, b, c),
            list -> (Bytes) list.get(0),
            list -> (Long) list.get(1),
            list -> (String) list.get(2));
  }

  /** Returns a number that tends to be near a border. */
  public long number() {
    return switch (random.nextInt(5)) {
      case 0 -> random.nextLong();
      case 1 -> random.nextInt(3) - 1;
      case 2 -> Long.MIN_VALUE + random.nextInt(3);
      case 3 -> Long.MAX_VALUE - random.nextInt(3);
      default -> (1L << random.nextInt(63)) - random.nextInt(2);
    };
  }

  /** Returns a text of any characters but half surrogate pairs. */
  public String text() {
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(4); i > 0; i--) {
      int point =
          switch (random.nextInt(4)) {
            case 0 -> random.nextInt(3);
            case 1 -> 'a' + random.nextInt(3);
            case 2 -> 0xe000 + random.nextInt(0x1fff);
            default -> 0x10000 + random.nextInt(0x100000);
          };
      text.appendCodePoint(point);
    }
    return text.toString();
  }

  public UUID uuid() {
    return new UUID(number(), number());
  }

  public List<Bytes> list(int count, int maxSize) {
    List<Bytes> keys = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      keys.add(bytes(maxSize));
    }
    return keys;
  }
}
