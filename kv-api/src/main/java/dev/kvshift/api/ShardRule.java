package dev.kvshift.api;

/**
 * The rule that takes the shard from the encoded clustering part: pure, stable, order-preserving.
 *
 * <p>The text form is {@code none}, {@code bits=N} or {@code parts=K}. Immutable.
 */
public sealed interface ShardRule {
  /** The longest shard, in bits or in parts. */
  int MAX_LENGTH = 64;

  /** Returns the rule that puts every entry of a main key into one shard, the empty one. */
  static ShardRule none() {
    return None.RULE;
  }

  /**
   * Returns the rule that takes the first bits of the clustering part.
   *
   * @param bits 1 to {@value #MAX_LENGTH}
   * @throws IllegalArgumentException if it is out of that range
   */
  static ShardRule firstBits(int bits) {
    return new FirstBits(bits);
  }

  /**
   * Returns the rule that takes the first parts of a composite clustering key.
   *
   * @param parts 1 to {@value #MAX_LENGTH}
   * @throws IllegalArgumentException if it is out of that range
   */
  static ShardRule firstParts(int parts) {
    return new FirstParts(parts);
  }

  /**
   * Returns the rule of a text form.
   *
   * @throws IllegalArgumentException if the text is not of a known form
   */
  static ShardRule parse(String text) {
    if (text.equals("none")) {
      return none();
    }
    try {
      if (text.startsWith("bits=")) {
        return firstBits(Integer.parseInt(text.substring(5)));
      }
      if (text.startsWith("parts=")) {
        return firstParts(Integer.parseInt(text.substring(6)));
      }
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "shard rule '" + text + "': the length is not a number", e);
    }
    throw new IllegalArgumentException(
        "shard rule '" + text + "': give none, bits=N or parts=K, N and K from 1 to 64");
  }

  /** Every entry of a main key is in one shard, the empty one. */
  final class None implements ShardRule {
    private static final None RULE = new None();

    private None() {}

    @Override
    public String toString() {
      return "none";
    }
  }

  /**
   * The first bits of the encoded clustering part, after the type code with which it begins; with
   * encoding 0, the first bits of its bytes.
   */
  final class FirstBits implements ShardRule {
    private final int bits;

    private FirstBits(int bits) {
      this.bits = requireLength(bits, "bits");
    }

    /** Returns the number of bits. */
    public int bits() {
      return bits;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof FirstBits that && bits == that.bits;
    }

    @Override
    public int hashCode() {
      return bits;
    }

    @Override
    public String toString() {
      return "bits=" + bits;
    }
  }

  /** The first parts of a composite clustering key, each whole. */
  final class FirstParts implements ShardRule {
    private final int parts;

    private FirstParts(int parts) {
      this.parts = requireLength(parts, "parts");
    }

    /** Returns the number of parts. */
    public int parts() {
      return parts;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof FirstParts that && parts == that.parts;
    }

    @Override
    public int hashCode() {
      return 31 * parts;
    }

    @Override
    public String toString() {
      return "parts=" + parts;
    }
  }

  private static int requireLength(int length, String unit) {
    if (length < 1 || length > MAX_LENGTH) {
      throw new IllegalArgumentException(
          "shard rule of " + length + " " + unit + ": give 1 to " + MAX_LENGTH);
    }
    return length;
  }
}
