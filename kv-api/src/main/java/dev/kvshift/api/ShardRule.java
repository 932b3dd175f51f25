package dev.kvshift.api;

/**
 * How much of the encoded clustering part becomes the shard: a pure, stable, order-preserving rule.
 *
 * <p>The text form is {@code none}, {@code bits=N} or {@code parts=K}. Immutable.
 */
public sealed interface ShardRule {
  /** The most bits or parts that a shard may take. */
  int MAX_LENGTH = 64;

  /** Every entry of a main key lies in one shard, the empty one. */
  record None() implements ShardRule {
    @Override
    public String toString() {
      return "none";
    }
  }

  /**
   * The first bits of the encoded clustering part, not counting the type code that it begins with;
   * with encoding 0, the first bits of its bytes.
   *
   * @param bits from 1 to {@value #MAX_LENGTH}
   */
  record FirstBits(int bits) implements ShardRule {
    public FirstBits {
      requireLength(bits, "bits");
    }

    @Override
    public String toString() {
      return "bits=" + bits;
    }
  }

  /**
   * The first parts of a composite clustering key, whole.
   *
   * @param parts from 1 to {@value #MAX_LENGTH}
   */
  record FirstParts(int parts) implements ShardRule {
    public FirstParts {
      requireLength(parts, "parts");
    }

    @Override
    public String toString() {
      return "parts=" + parts;
    }
  }

  /**
   * Returns the rule that the text stands for.
   *
   * @throws IllegalArgumentException if it stands for none
   */
  static ShardRule parse(String text) {
    if (text.equals("none")) {
      return new None();
    }
    try {
      if (text.startsWith("bits=")) {
        return new FirstBits(Integer.parseInt(text.substring(5)));
      }
      if (text.startsWith("parts=")) {
        return new FirstParts(Integer.parseInt(text.substring(6)));
      }
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("shard rule '" + text + "': the length is no number", e);
    }
    throw new IllegalArgumentException(
        "shard rule '" + text + "': give none, bits=N or parts=K, N and K from 1 to 64");
  }

  private static void requireLength(int length, String unit) {
    if (length < 1 || length > MAX_LENGTH) {
      throw new IllegalArgumentException(
          "shard rule of " + length + " " + unit + ": give 1 to " + MAX_LENGTH);
    }
  }
}
