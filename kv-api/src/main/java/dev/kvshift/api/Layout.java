package dev.kvshift.api;

import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The shape, the shard rule and the key encoding of a collection, and the mapping that its entries
 * went through if there is one, fixed for its life and stored with it. Changing a layout is a
 * migration, never an edit.
 *
 * <p>The text form is {@code SHAPE;shard=RULE;encoding=N}, for example {@code
 * range;shard=parts=1;encoding=1}, followed by {@code ;mapping=NAME} where entries are mapped.
 * Immutable.
 */
public final class Layout {
  /** The way in which a collection is read. */
  public enum Shape {
    /** One key at a time; the whole key is its main part. */
    POINT,
    /** By a main key and a range of clustering keys. */
    RANGE
  }

  /** The key encoding that {@code docs/key-encoding.md} describes. */
  public static final int CURRENT_ENCODING = 1;

  private static final String MAPPING = "mapping=";
  private static final Pattern MAPPING_NAME = Pattern.compile("[a-z][a-z0-9-]{0,63}");

  private final Shape shape;
  private final ShardRule rule;
  private final int encoding;
  private final @Nullable String mapping;

  private Layout(Shape shape, ShardRule rule, int encoding, @Nullable String mapping) {
    this.shape = Objects.requireNonNull(shape, "shape");
    this.rule = Objects.requireNonNull(rule, "rule");
    this.encoding = encoding;
    this.mapping = mapping;
    if (encoding < 0) {
      throw new IllegalArgumentException("encoding version " + encoding + ": give 0 or more");
    }
    if (shape == Shape.POINT && !(rule instanceof ShardRule.None)) {
      throw new IllegalArgumentException(
          "a point collection has no clustering keys to shard by: leave out " + rule);
    }
    if (mapping != null && !MAPPING_NAME.matcher(mapping).matches()) {
      throw new IllegalArgumentException(
          "mapping '" + mapping + "': give a letter a-z, then at most 63 of a-z, 0-9 and '-'");
    }
  }

  /** Returns the layout of a point collection. */
  public static Layout point() {
    return new Layout(Shape.POINT, ShardRule.none(), CURRENT_ENCODING, null);
  }

  /**
   * Returns the layout of a range collection.
   *
   * @param rule the way in which clustering keys are spread over shards
   */
  public static Layout range(ShardRule rule) {
    return new Layout(Shape.RANGE, rule, CURRENT_ENCODING, null);
  }

  /**
   * Returns a layout.
   *
   * @param shape the way in which the collection is read
   * @param rule how clustering keys are spread over shards; {@code none} in a point collection
   * @param encoding the version of the key encoding, from 0; 0 for keys in a form of the company's
   *     own
   * @throws IllegalArgumentException if the encoding is negative, or a point collection has a rule
   */
  public static Layout of(Shape shape, ShardRule rule, int encoding) {
    return new Layout(shape, rule, encoding, null);
  }

  /** Returns the same layout with another version of the key encoding. */
  public Layout withEncoding(int newEncoding) {
    return new Layout(shape, rule, newEncoding, mapping);
  }

  /**
   * Returns the same layout for entries that went through another mapping.
   *
   * @param newMapping the mapping's name; null for entries as they are
   * @throws IllegalArgumentException if the name is not a letter a-z and at most 63 of a-z, 0-9 and
   *     '-'
   */
  public Layout withMapping(@Nullable String newMapping) {
    return new Layout(shape, rule, encoding, newMapping);
  }

  /**
   * Returns the layout of a text form.
   *
   * @throws IllegalArgumentException if the text is not of that form
   */
  public static Layout parse(String text) {
    String[] parts = text.split(";", -1);
    boolean isMapped = parts.length == 4 && parts[3].startsWith(MAPPING);
    if ((parts.length != 3 && !isMapped)
        || !parts[1].startsWith("shard=")
        || !parts[2].startsWith("encoding=")) {
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
      return new Layout(
          shape,
          ShardRule.parse(parts[1].substring("shard=".length())),
          encoding,
          isMapped ? parts[3].substring(MAPPING.length()) : null);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("layout '" + text + "': the encoding is not a number", e);
    }
  }

  /** Returns the way in which the collection is read. */
  public Shape shape() {
    return shape;
  }

  /** Returns how clustering keys are spread over shards; {@code none} in a point collection. */
  public ShardRule rule() {
    return rule;
  }

  /** Returns the version of the key encoding; 0 for keys in a form of the company's own. */
  public int encoding() {
    return encoding;
  }

  /** Returns the name of the mapping that the entries went through; null if they are as written. */
  public @Nullable String mapping() {
    return mapping;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Layout that
        && shape == that.shape
        && rule.equals(that.rule)
        && encoding == that.encoding
        && Objects.equals(mapping, that.mapping);
  }

  @Override
  public int hashCode() {
    return Objects.hash(shape, rule, encoding, mapping);
  }

  /** Returns the text form. */
  @Override
  public String toString() {
    return (shape == Shape.POINT ? "point" : "range")
        + ";shard="
        + rule
        + ";encoding="
        + encoding
        + (mapping == null ? "" : ";" + MAPPING + mapping);
  }
}
