package dev.kvshift.model.key;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.ShardRule;
import dev.kvshift.model.internal.encoding.PartCode;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.function.ToIntFunction;

/**
 * Factories for the keys of a model: formats of key parts, composites of them, and shard rules. For
 * static import.
 *
 * <p>Every format preserves order: a lesser key has lesser bytes, compared unsigned. A key has at
 * most 64 parts. {@code docs/key-encoding.md} specifies the bytes, which never change.
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

  /** Returns the format of bytes, in unsigned order. */
  public static KeyFormat<Bytes> bytes() {
    return BYTES;
  }

  /**
   * Returns the format of text, written as UTF-8, in the order of code points. This differs from
   * the order of {@link String#compareTo} for characters above U+FFFF. A text with an unpaired
   * surrogate is refused.
   */
  public static KeyFormat<String> string() {
    return STRING;
  }

  /** Returns the format of booleans, false before true. */
  public static KeyFormat<Boolean> bool() {
    return BOOLEAN;
  }

  /** Returns the format of signed 32-bit numbers. */
  public static KeyFormat<Integer> int32() {
    return INT32;
  }

  /** Returns the format of signed 64-bit numbers. */
  public static KeyFormat<Long> int64() {
    return INT64;
  }

  /** Returns the format of numbers from 0 to 2³² - 1; others are refused. */
  public static KeyFormat<Long> uint32() {
    return UINT32;
  }

  /** Returns the format of numbers from 0 to 2⁶⁴ - 1, held by a long whose bits are unsigned. */
  public static KeyFormat<Long> uint64() {
    return UINT64;
  }

  /** Returns the format of instants to the nanosecond. The first 64 bits are the seconds. */
  public static KeyFormat<Instant> instant() {
    return INSTANT;
  }

  /**
   * Returns the format of UUIDs of any version, in the order of their text form, which is the order
   * of time for versions 6 and 7. This differs from {@link UUID#compareTo}, which is signed.
   */
  public static KeyFormat<UUID> uuid() {
    return UUID_FORMAT;
  }

  /** Returns the format of version 1 UUIDs, in the order of their time; others are refused. */
  public static KeyFormat<UUID> timeUuid() {
    return TIME_UUID;
  }

  /**
   * Returns the format of enum constants, which writes a number for each. Constants can therefore
   * be renamed, reordered and added.
   *
   * @param number returns the number of a constant, which must never change
   * @param constants the constants that can be written and read
   * @throws IllegalArgumentException if two constants have one number
   */
  @SafeVarargs
  public static <E extends Enum<E>> KeyFormat<E> enumByNumber(
      ToIntFunction<E> number, E... constants) {
    Map<Integer, E> byNumber = new HashMap<>();
    for (E constant : constants) {
      if (byNumber.put(number.applyAsInt(constant), constant) != null) {
        throw new IllegalArgumentException(
            constant + " has the number of another constant: give each constant its own");
      }
    }
    return new KeyFormat.Part<>(
        PartCode.ENUM, new KeyBodies.Numbered<>(number, Map.copyOf(byNumber)));
  }

  /**
   * Returns the format of unchanged bytes, for keys that another system formed. It cannot be part
   * of a composite, and its keys cannot be sharded by parts.
   */
  public static KeyFormat<Bytes> asIs() {
    return AS_IS;
  }

  /** Returns the split of keys that another system formed after a fixed number of bytes. */
  public static KeySplit splitAt(int position) {
    return KeySplit.at(position);
  }

  /**
   * Returns the split of keys that another system formed at the first delimiter: the main part ends
   * before it, the clustering part starts after it.
   */
  public static KeySplit splitBehind(Bytes delimiter) {
    return KeySplit.behind(delimiter);
  }

  /**
   * Returns an encoded key in readable form, without needing its model: its parts, separated by
   * {@code ;}, with text as JSON and bytes in hexadecimal. Bytes that no format has written are
   * returned as {@link Bytes#toString}.
   */
  public static String show(Bytes key) {
    return KeyText.of(key);
  }

  /**
   * Returns the bytes of a key that a person has typed without a model, with the type of each part
   * before it, such as {@code string:java.util;uint64 descending:7}; otherwise as {@link
   * KeyFormat#encodeText}.
   *
   * @throws KvException.InvalidArgument if the text is not such a key; the message shows one
   */
  public static Bytes encodeText(String text) {
    return KeyText.parse(null, text, true);
  }

  /** Combines two parts, ordered by the first, then the second; {@code as} gives them a type. */
  public static <A, B> Composite.Two<A, B> composite(KeyFormat<A> first, KeyFormat<B> second) {
    return new Composite.Two<>(first, second);
  }

  /** Combines three parts. */
  public static <A, B, C> Composite.Three<A, B, C> composite(
      KeyFormat<A> first, KeyFormat<B> second, KeyFormat<C> third) {
    return new Composite.Three<>(first, second, third);
  }

  /** Combines four parts. For more parts, nest composites. */
  public static <A, B, C, D> Composite.Four<A, B, C, D> composite(
      KeyFormat<A> first, KeyFormat<B> second, KeyFormat<C> third, KeyFormat<D> fourth) {
    return new Composite.Four<>(first, second, third, fourth);
  }

  /** Returns the rule that keeps all entries of a main key in one partition. */
  public static ShardRule unsharded() {
    return ShardRule.none();
  }

  /**
   * Returns the rule that shards by the first bits of the clustering key. For a leading instant,
   * {@code firstBits(64 - n)} makes one partition for every 2ⁿ seconds.
   *
   * @param bits number of bits after the type code, 1 to 64
   */
  public static ShardRule firstBits(int bits) {
    return ShardRule.firstBits(bits);
  }

  /**
   * Returns the rule that shards by the first parts of the clustering key.
   *
   * @param parts number of parts, from 1
   */
  public static ShardRule firstParts(int parts) {
    return ShardRule.firstParts(parts);
  }
}
