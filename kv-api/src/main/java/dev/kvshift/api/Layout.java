package dev.kvshift.api;

import java.util.Objects;

/**
 * The shape of a collection, fixed for its life and stored with it: changing it is a migration,
 * never an edit.
 *
 * <p>The text form is {@code SHAPE;shard=RULE;encoding=N}, for example {@code
 * range;shard=parts=1;encoding=1}. Immutable.
 *
 * @param shape how it is read
 * @param rule how clustering keys are spread over shards; {@code none} in a point collection
 * @param encoding the version of the key encoding; 0 for keys that are not ours to read
 */
public record Layout(Shape shape, ShardRule rule, int encoding) {
  /** How a collection is read. */
  public enum Shape {
    /** One key at a time; all of the key is its main part. */
    POINT,
    /** By a main key and a range of clustering keys. */
    RANGE
  }

  /** The key encoding that {@code docs/key-encoding.md} describes. */
  public static final int CURRENT_ENCODING = 1;

  public Layout {
    Objects.requireNonNull(shape, "shape");
    Objects.requireNonNull(rule, "rule");
    if (encoding < 0) {
      throw new IllegalArgumentException("encoding version " + encoding + ": give 0 or more");
    }
    if (shape == Shape.POINT && !(rule instanceof ShardRule.None)) {
      throw new IllegalArgumentException(
          "a point collection has no clustering keys to shard by: leave out " + rule);
    }
  }

  /** Returns the layout of a point collection. */
  public static Layout point() {
    return new Layout(Shape.POINT, new ShardRule.None(), CURRENT_ENCODING);
  }

  /** Returns the layout of a range collection. */
  public static Layout range(ShardRule rule) {
    return new Layout(Shape.RANGE, rule, CURRENT_ENCODING);
  }

  /**
   * Returns the layout that the text stands for.
   *
   * @throws IllegalArgumentException if it stands for none
   */
  public static Layout parse(String text) {
    String[] parts = text.split(";", -1);
    if (parts.length != 3 || !parts[1].startsWith("shard=") || !parts[2].startsWith("encoding=")) {
      throw new IllegalArgumentException(
          "layout '" + text + "': give SHAPE;shard=RULE;encoding=N, such as " + point());
    }
    Shape shape =
        switch (parts[0]) {
          case "point" -> Shape.POINT;
          case "range" -> Shape.RANGE;
          default ->
              throw new IllegalArgumentException(
                  "layout '" + text + "': the shape is point or range");
        };
    try {
      int encoding = Integer.parseInt(parts[2].substring("encoding=".length()));
      return new Layout(shape, ShardRule.parse(parts[1].substring("shard=".length())), encoding);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("layout '" + text + "': the encoding is no number", e);
    }
  }

  @Override
  public String toString() {
    return (shape == Shape.POINT ? "point" : "range") + ";shard=" + rule + ";encoding=" + encoding;
  }
}
