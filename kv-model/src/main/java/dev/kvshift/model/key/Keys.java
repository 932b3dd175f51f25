package dev.kvshift.model.key;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.ShardRule;
import dev.kvshift.model.internal.encoding.PartCode;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.function.ToIntFunction;

/**
 * The words that a model declares its keys with: the formats of key parts, composites of them, and
 * shard rules. Meant to be imported statically.
 *
 * <p>Every format keeps order: the bytes of a lesser key are lesser bytes. A key has at most 64
 * parts. The bytes are described in {@code docs/key-encoding.md} and never change.
 */
public final class Keys {
  private static final KeyFormat<Bytes> BYTES =
      new KeyFormat.Part<>(PartCode.BYTES, new KeyBodies.Raw());
  private static final KeyFormat<String> STRING =
      new KeyFormat.Part<>(PartCode.STRING, new KeyBodies.Text());
  private static final KeyFormat<Boolean> BOOLEAN =
      new KeyFormat.Part<>(PartCode.BOOLEAN, new KeyBodies.Flag());
  private static final KeyFormat<Integer> INT32 =
      new KeyFormat.Part<>(PartCode.INT32, new KeyBodies.Signed32());
  private static final KeyFormat<Long> INT64 =
      new KeyFormat.Part<>(PartCode.INT64, new KeyBodies.Number64(Long.MIN_VALUE));
  private static final KeyFormat<Long> UINT32 =
      new KeyFormat.Part<>(PartCode.UINT32, new KeyBodies.Unsigned32());
  private static final KeyFormat<Long> UINT64 =
      new KeyFormat.Part<>(PartCode.UINT64, new KeyBodies.Number64(0));
  private static final KeyFormat<Instant> INSTANT =
      new KeyFormat.Part<>(PartCode.INSTANT, new KeyBodies.Moment());
  private static final KeyFormat<UUID> UUID_FORMAT =
      new KeyFormat.Part<>(PartCode.UUID, new KeyBodies.AnyUuid());
  private static final KeyFormat<UUID> TIME_UUID =
      new KeyFormat.Part<>(PartCode.TIME_UUID, new KeyBodies.TimeUuid());
  private static final KeyFormat<Bytes> AS_IS = new KeyFormat.AsIs();

  private Keys() {}

  /** Bytes, ordered unsigned. */
  public static KeyFormat<Bytes> bytes() {
    return BYTES;
  }

  /**
   * Text as UTF-8, ordered by code point; a text with half a surrogate pair is refused. Not the
   * order of {@link String#compareTo} where characters above U+FFFF occur.
   */
  public static KeyFormat<String> string() {
    return STRING;
  }

  /** False before true. */
  public static KeyFormat<Boolean> bool() {
    return BOOLEAN;
  }

  /** A signed number of 32 bits. */
  public static KeyFormat<Integer> int32() {
    return INT32;
  }

  /** A signed number of 64 bits. */
  public static KeyFormat<Long> int64() {
    return INT64;
  }

  /** A number from 0 to 2³² - 1. */
  public static KeyFormat<Long> uint32() {
    return UINT32;
  }

  /** A number from 0 to 2⁶⁴ - 1: a long whose bits are read unsigned. */
  public static KeyFormat<Long> uint64() {
    return UINT64;
  }

  /** An instant, to the nanosecond. Its first 64 bits are the seconds since 1970. */
  public static KeyFormat<Instant> instant() {
    return INSTANT;
  }

  /**
   * Any UUID, ordered as its text form is: by time for versions 6 and 7. Not the order of {@link
   * UUID#compareTo}, which is signed.
   */
  public static KeyFormat<UUID> uuid() {
    return UUID_FORMAT;
  }

  /** A UUID of version 1, ordered by its time, then by the rest; others are refused. */
  public static KeyFormat<UUID> timeUuid() {
    return TIME_UUID;
  }

  /**
   * A constant that stands for a number, which alone is written: constants may be renamed and
   * reordered, and ones added.
   *
   * @param number gives each constant's number
   * @param constants all that may be written and read, each with a number of its own
   */
  @SafeVarargs
  public static <E extends Enum<E>> KeyFormat<E> enumByNumber(
      ToIntFunction<E> number, E... constants) {
    Map<Integer, E> byNumber = new HashMap<>();
    for (E constant : constants) {
      if (byNumber.put(number.applyAsInt(constant), constant) != null) {
        throw new IllegalArgumentException(
            constant + " has the number of another constant: give each its own");
      }
    }
    return new KeyFormat.Part<>(
        PartCode.ENUM, new KeyBodies.Numbered<>(number, Map.copyOf(byNumber)));
  }

  /**
   * Bytes exactly as they are, for keys that another system formed. Stands alone: neither part of a
   * composite nor sharded by parts.
   */
  public static KeyFormat<Bytes> asIs() {
    return AS_IS;
  }

  /** Keys that another system formed, whose first bytes, so many, are the main part. */
  public static KeySplit splitAt(int position) {
    return KeySplit.at(position);
  }

  /**
   * Keys that another system formed, whose main part ends before the first delimiter, and whose
   * clustering part begins behind it.
   */
  public static KeySplit splitBehind(Bytes delimiter) {
    return KeySplit.behind(delimiter);
  }

  /**
   * Returns an encoded key for people, without its model: its parts, text as JSON, bytes in
   * hexadecimal, {@code ;} between them. Bytes that no format has written are shown as {@link
   * Bytes#toString} does.
   */
  public static String show(Bytes key) {
    return KeyText.of(key);
  }

  /** Two parts, the first deciding first; {@code as} gives them a type. */
  public static <A, B> Composite.Two<A, B> composite(KeyFormat<A> first, KeyFormat<B> second) {
    return new Composite.Two<>(first, second);
  }

  /** Three parts. */
  public static <A, B, C> Composite.Three<A, B, C> composite(
      KeyFormat<A> first, KeyFormat<B> second, KeyFormat<C> third) {
    return new Composite.Three<>(first, second, third);
  }

  /** Four parts; for more, let a part be a composite itself. */
  public static <A, B, C, D> Composite.Four<A, B, C, D> composite(
      KeyFormat<A> first, KeyFormat<B> second, KeyFormat<C> third, KeyFormat<D> fourth) {
    return new Composite.Four<>(first, second, third, fourth);
  }

  /** All entries of a main key in one partition. */
  public static ShardRule unsharded() {
    return ShardRule.none();
  }

  /**
   * One partition for all entries of a main key whose first part begins with the same bits. For an
   * instant: {@code firstBits(64 - n)} makes a partition for every 2ⁿ seconds.
   *
   * @param bits from 1 to 64, counted behind the type code
   */
  public static ShardRule firstBits(int bits) {
    return ShardRule.firstBits(bits);
  }

  /** One partition for all entries of a main key whose first parts are the same. */
  public static ShardRule firstParts(int parts) {
    return ShardRule.firstParts(parts);
  }
}
