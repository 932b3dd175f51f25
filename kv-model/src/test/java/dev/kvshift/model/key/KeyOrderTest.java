package dev.kvshift.model.key;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Range;
import dev.kvshift.model.Seeds;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Properties of the key formats on random keys. */
class KeyOrderTest {
  private static final int PAIRS = 200_000;

  private static final Comparator<String> BY_CODE_POINT =
      (a, b) -> {
        int[] left = a.codePoints().toArray();
        int[] right = b.codePoints().toArray();
        return java.util.Arrays.compare(left, right);
      };

  private static final Comparator<UUID> AS_PRINTED = Comparator.comparing(UUID::toString);

  @TestFactory
  Stream<DynamicTest> encode_anyTwoKeys_keepsTheirOrder() {
    return Stream.of(
        ordered("bytes", Keys.bytes(), keys -> keys.bytes(5), Comparator.naturalOrder()),
        ordered("string", Keys.string(), RandomKeys::text, BY_CODE_POINT),
        ordered("int64", Keys.int64(), RandomKeys::number, Comparator.naturalOrder()),
        ordered(
            "int32", Keys.int32(), keys -> (int) keys.number(), Comparator.<Integer>naturalOrder()),
        ordered("uint64", Keys.uint64(), RandomKeys::number, Long::compareUnsigned),
        ordered(
            "uint32",
            Keys.uint32(),
            keys -> keys.number() & 0xffff_ffffL,
            Comparator.<Long>naturalOrder()),
        ordered(
            "instant",
            Keys.instant(),
            keys -> Instant.ofEpochSecond(keys.number() >> 12, keys.number() >>> 34),
            Comparator.<Instant>naturalOrder()),
        ordered("uuid", Keys.uuid(), RandomKeys::uuid, AS_PRINTED),
        ordered(
            "timeUuid",
            Keys.timeUuid(),
            keys -> new UUID((keys.number() & ~0xf000L) | 0x1000L, keys.number()),
            Comparator.comparingLong(UUID::timestamp)
                .thenComparing(UUID::getLeastSignificantBits, Long::compareUnsigned)));
  }

  @Test
  void encode_compositeOfAnyDirections_ordersByFirstPartThenNext() throws Exception {
    Seeds.run(
        1,
        random -> {
          RandomKeys keys = new RandomKeys(random);
          for (int round = 0; round < 200; round++) {
            boolean first = random.nextBoolean();
            boolean second = random.nextBoolean();
            KeyFormat<List<Object>> format =
                Keys.composite(
                        first ? Keys.bytes().descending() : Keys.bytes(),
                        second ? Keys.string().descending() : Keys.string())
                    .as(
                        (a, b) -> List.<Object>of(a, b),
                        list -> (Bytes) list.get(0),
                        list -> (String) list.get(1));
            Comparator<Bytes> byFirst = Comparator.naturalOrder();
            Comparator<List<Object>> order =
                Comparator.<List<Object>, Bytes>comparing(
                        list -> (Bytes) list.get(0), first ? byFirst.reversed() : byFirst)
                    .thenComparing(
                        list -> (String) list.get(1),
                        second ? BY_CODE_POINT.reversed() : BY_CODE_POINT);
            for (int pair = 0; pair < 1_000; pair++) {
              List<Object> left = List.of(keys.bytes(2), keys.text());
              List<Object> right = List.of(keys.bytes(2), keys.text());
              assertThat(sign(format.encode(left).compareTo(format.encode(right))))
                  .isEqualTo(sign(order.compare(left, right)));
              assertThat(format.decode(format.encode(left))).isEqualTo(left);
              assertThat(format.descending().decode(format.descending().encode(left)))
                  .isEqualTo(left);
              assertThat(
                      sign(
                          format
                              .descending()
                              .encode(left)
                              .compareTo(format.descending().encode(right))))
                  .isEqualTo(sign(order.compare(right, left)));
            }
          }
        });
  }

  @Test
  void prefix_anyText_holdsExactlyTheKeysThatBeginSo() throws Exception {
    Seeds.run(
        2,
        random -> {
          RandomKeys keys = new RandomKeys(random);
          for (int round = 0; round < 20_000; round++) {
            KeyFormat<Bytes> first =
                random.nextBoolean() ? Keys.bytes() : Keys.bytes().descending();
            KeyFormat<List<Object>> format =
                Keys.composite(first, Keys.int64())
                    .as(
                        (a, b) -> List.<Object>of(a, b),
                        list -> (Bytes) list.get(0),
                        list -> (Long) list.get(1));
            Bytes start = keys.bytes(2);
            Bytes part = keys.bytes(4);
            Bytes key = format.encode(List.of(part, keys.number()));
            Range beginning =
                KeyRange.<List<Object>>prefix(KeyPrefix.beginning(first, start)).encode(format);
            assertThat(beginning.contains(key)).isEqualTo(part.startsWith(start));
            Range whole = KeyRange.<List<Object>>prefix(KeyPrefix.of(first, start)).encode(format);
            assertThat(whole.contains(key)).isEqualTo(part.equals(start));
          }
        });
  }

  @Test
  void decode_randomBytes_givesAKeyOfThoseBytesOrIsRefused() throws Exception {
    Seeds.run(
        3,
        random -> {
          RandomKeys keys = new RandomKeys(random);
          int read = 0;
          for (int round = 0; round < PAIRS; round++) {
            KeyFormat<List<Object>> format = keys.composite();
            byte[] bytes = keys.encodedKey(format).toByteArray();
            for (int changes = random.nextInt(3); changes > 0; changes--) {
              bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            Bytes altered = Bytes.of(bytes, 0, bytes.length - random.nextInt(2));
            try {
              assertThat(format.encode(format.decode(altered))).isEqualTo(altered);
              read++;
            } catch (KvException.Permanent refused) {
              assertThat(refused).hasMessageContaining("cannot be read as it was declared");
            }
          }
          assertThat(read).isBetween(PAIRS / 10, PAIRS - PAIRS / 10);
        });
  }

  @Test
  void encode_whileAnotherKeyIsEncoded_givesBothTheirBytes() {
    KeyFormat<String> inner = Keys.string();
    KeyFormat<String> outer =
        Keys.composite(Keys.string(), Keys.bytes())
            .as((text, bytes) -> text, text -> text, inner::encode);
    assertThat(outer.encode("ab")).isEqualTo(Bytes.fromHex("0361620002036162010100"));
    assertThatThrownBy(() -> outer.encode("\ud800")).isInstanceOf(KvException.Permanent.class);
    assertThat(outer.encode("ab")).isEqualTo(Bytes.fromHex("0361620002036162010100"));
  }

  @Test
  void encode_whatTheFormatCannotHold_isRefused() {
    assertThatThrownBy(() -> Keys.string().encode("a\ud800"))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("an unpaired surrogate");
    assertThatThrownBy(() -> Keys.uint32().encode(-1L))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessage("uint32 key -1: give 0 to 4294967295");
    assertThatThrownBy(() -> Keys.timeUuid().encode(new UUID(0x4000, 0)))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("has version 4, not 1");
    assertThatThrownBy(() -> Keys.composite(Keys.asIs(), Keys.string()).as(List::of, null, null))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("use bytes()");
    assertThatThrownBy(() -> KeyPrefix.beginning(Keys.int64(), 7L))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("cannot be searched by a prefix");
  }

  private static <T> DynamicTest ordered(
      String name, KeyFormat<T> format, Function<RandomKeys, T> make, Comparator<T> order) {
    return DynamicTest.dynamicTest(
        name, () -> Seeds.run(name.hashCode(), random -> check(format, make, order, random)));
  }

  private static <T> void check(
      KeyFormat<T> format, Function<RandomKeys, T> make, Comparator<T> order, Random random) {
    RandomKeys keys = new RandomKeys(random);
    for (int pair = 0; pair < PAIRS; pair++) {
      T left = make.apply(keys);
      T right = make.apply(keys);
      int wanted = sign(order.compare(left, right));
      Bytes encoded = format.encode(left);
      if (sign(encoded.compareTo(format.encode(right))) != wanted
          || sign(format.descending().encode(right).compareTo(format.descending().encode(left)))
              != wanted
          || !format.decode(encoded).equals(left)) {
        throw new AssertionError(left + " and " + right);
      }
    }
  }

  private static int sign(int order) {
    return Integer.signum(order);
  }
}
