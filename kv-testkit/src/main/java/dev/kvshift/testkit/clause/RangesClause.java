package dev.kvshift.testkit.clause;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.Entry;
import dev.kvshift.api.Key;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.Range.Direction;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.StoreKey;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Ranges of clustering keys. Most tests use the running example of {@link Range}: the clustering
 * keys {@code 10 20 30 40 50}.
 */
@Needs(Capability.RANGES)
public abstract class RangesClause extends Clause {
  private static final List<String> EXAMPLE = List.of("10", "20", "30", "40", "50");

  @ParameterizedTest
  @CsvSource({
    "SPI,FORWARD,true,true", "SPI,FORWARD,true,false",
    "SPI,FORWARD,false,true", "SPI,FORWARD,false,false",
    "SPI,BACKWARD,true,true", "SPI,BACKWARD,true,false",
    "SPI,BACKWARD,false,true", "SPI,BACKWARD,false,false",
    "SYNC,FORWARD,true,true", "SYNC,FORWARD,true,false",
    "SYNC,FORWARD,false,true", "SYNC,FORWARD,false,false",
    "SYNC,BACKWARD,true,true", "SYNC,BACKWARD,true,false",
    "SYNC,BACKWARD,false,true", "SYNC,BACKWARD,false,false",
    "ASYNC,FORWARD,true,true", "ASYNC,FORWARD,true,false",
    "ASYNC,FORWARD,false,true", "ASYNC,FORWARD,false,false",
    "ASYNC,BACKWARD,true,true", "ASYNC,BACKWARD,true,false",
    "ASYNC,BACKWARD,false,true", "ASYNC,BACKWARD,false,false"
  })
  void range_everyPairOfBounds_givesExactlyWhatLiesWithin(
      CollectionApi api, Direction direction, boolean fromInclusive, boolean toInclusive) {
    Bytes main = example(api);
    List<@Nullable Bytes> bounds = new ArrayList<>();
    List.of("", "05", "10", "20", "2000", "35", "50", "ff").forEach(b -> bounds.add(hex(b)));
    bounds.add(null);
    for (Bytes from : bounds) {
      for (Bytes to : bounds) {
        Range range =
            Range.all()
                .withFrom(from, fromInclusive)
                .withTo(to, toInclusive)
                .withDirection(direction);
        assertThat(ranges(api).clusterings(main, range))
            .as("%s", range)
            .isEqualTo(expected(EXAMPLE, range));
      }
    }
  }

  @EachApiAndDirection
  void range_bytesAbove7f_sortUnsigned(CollectionApi api, Direction direction) {
    List<String> keys = List.of("00", "01", "7e", "7f", "7fff", "80", "8000", "81", "fe", "ff");
    Bytes main = filled(api, keys);
    Range all = Range.all().withDirection(direction);
    assertThat(ranges(api).clusterings(main, all)).isEqualTo(expected(keys, all));
    Range upper = Range.all().withFrom(hex("80"), true).withDirection(direction);
    assertThat(ranges(api).clusterings(main, upper)).isEqualTo(expected(keys, upper));
    Range lower = Range.all().withTo(hex("80"), false).withDirection(direction);
    assertThat(ranges(api).clusterings(main, lower)).isEqualTo(expected(keys, lower));
  }

  @EachApiAndDirection
  void range_keysThatBeginAlike_shorterComesFirst(CollectionApi api, Direction direction) {
    List<String> keys = List.of("", "00", "0000", "000000", "0001", "01", "0100", "ff", "ff00");
    Bytes main = filled(api, keys);
    Range all = Range.all().withDirection(direction);
    assertThat(ranges(api).clusterings(main, all)).isEqualTo(expected(keys, all));
    Range within =
        Range.all().withFrom(hex("00"), false).withTo(hex("0100"), false).withDirection(direction);
    assertThat(ranges(api).clusterings(main, within)).isEqualTo(expected(keys, within));
  }

  @ParameterizedTest
  @EnumSource
  void range_ofAMainKeyNeverWritten_isEmpty(CollectionApi api) {
    assertThat(ranges(api).pages(freshMain(), Range.all(), PageLimit.entries(10)))
        .allSatisfy(page -> assertThat(page.entries()).isEmpty());
  }

  @ParameterizedTest
  @EnumSource
  void range_neighbouringMainKeys_doNotLeakIn(CollectionApi api) {
    Bytes main = freshMain();
    List<Bytes> mains =
        List.of(main, main.concat(hex("00")), main.concat(hex("01")), main.concat(hex("0010")));
    for (Bytes each : mains) {
      ranges(api).put(Key.of(each, hex("10")), each);
      ranges(api).put(Key.of(each, hex("0110")), each);
    }
    for (Bytes each : mains) {
      for (Range range : List.of(Range.all(), Range.from(hex("01")))) {
        assertThat(ranges(api).entries(each, range, PageLimit.entries(10)))
            .containsExactly(Entry.of(hex("0110"), each), Entry.of(hex("10"), each));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void get_keysWhosePartsJoinAlike_areKeptApart(CollectionApi api) {
    Bytes start = freshMain();
    List<Key> keys =
        List.of(
            Key.of(start, hex("616263")),
            Key.of(start.concat(hex("61")), hex("6263")),
            Key.of(start.concat(hex("6162")), hex("63")),
            Key.of(start.concat(hex("616263")), hex("")));
    for (int i = 0; i < keys.size(); i++) {
      ranges(api).put(keys.get(i), Bytes.of((byte) i));
    }
    for (int i = 0; i < keys.size(); i++) {
      assertThat(ranges(api).get(keys.get(i))).isEqualTo(Bytes.of((byte) i));
    }
    assertThat(ranges(api).get(Key.of(start, hex("6162")))).isNull();
  }

  @ParameterizedTest
  @EnumSource
  void range_emptyMainKey_isAMainKeyLikeAnyOther(CollectionApi api) {
    Bytes clustering = freshMain();
    ranges(api).put(Key.of(Bytes.empty(), clustering), hex("01"));
    assertThat(ranges(api).get(Key.of(Bytes.empty(), clustering))).isEqualTo(hex("01"));
    Range only = Range.all().withFrom(clustering, true).withTo(clustering, true);
    assertThat(ranges(api).clusterings(Bytes.empty(), only)).containsExactly(clustering);
    ranges(api).delete(Key.of(Bytes.empty(), clustering));
    assertThat(ranges(api).clusterings(Bytes.empty(), only)).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void range_prefix_givesExactlyTheKeysThatBeginWithIt(CollectionApi api) {
    Bytes main = filled(api, List.of("fe", "feff", "ff", "ff00", "ffff", "ffffff", "01", "0100"));
    assertThat(ranges(api).clusterings(main, Range.prefix(hex("ff"))))
        .containsExactly(hex("ff"), hex("ff00"), hex("ffff"), hex("ffffff"));
    assertThat(ranges(api).clusterings(main, Range.prefix(hex("ffff")).backward()))
        .containsExactly(hex("ffffff"), hex("ffff"));
    assertThat(ranges(api).clusterings(main, Range.prefix(hex("01"))))
        .containsExactly(hex("01"), hex("0100"));
    assertThat(ranges(api).clusterings(main, Range.prefix(hex("02")))).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void range_overwrittenEntry_givesItsNewValueOnce(CollectionApi api) {
    Bytes main = example(api);
    ranges(api).put(Key.of(main, hex("30")), hex("aa"));
    ranges(api).put(Key.of(main, hex("30")), hex("bb"));
    assertThat(ranges(api).entries(main, Range.all(), PageLimit.entries(10)))
        .containsExactly(
            Entry.of(hex("10"), hex("10")),
            Entry.of(hex("20"), hex("20")),
            Entry.of(hex("30"), hex("bb")),
            Entry.of(hex("40"), hex("40")),
            Entry.of(hex("50"), hex("50")));
  }

  @ParameterizedTest
  @EnumSource
  void range_valuesOfManySizes_areWhole(CollectionApi api) {
    Bytes main = freshMain();
    List<Entry> entries = new ArrayList<>();
    for (int size : List.of(0, 1, 1_000, 70_000, 3)) {
      byte[] value = new byte[size];
      new Random(size).nextBytes(value);
      Entry entry = Entry.of(Bytes.of((byte) entries.size()), Bytes.of(value));
      ranges(api).put(Key.of(main, entry.clustering()), entry.value());
      entries.add(entry);
    }
    assertThat(ranges(api).entries(main, Range.all(), PageLimit.entries(10))).isEqualTo(entries);
  }

  @ParameterizedTest
  @CsvSource({"SPI,1", "SPI,2", "SYNC,3", "SYNC,4", "ASYNC,5", "ASYNC,6"})
  void range_randomKeysAndBounds_agreesWithASortedSet(CollectionApi api, long seed) {
    Random random = new Random(seed);
    Bytes main = freshMain();
    TreeSet<Bytes> keys = new TreeSet<>();
    for (int i = 0; i < 200; i++) {
      Bytes key = randomKey(random);
      keys.add(key);
      ranges(api).put(Key.of(main, key), hex("01"));
    }
    for (int i = 0; i < 100; i++) {
      Range range =
          Range.all()
              .withFrom(random.nextInt(5) == 0 ? null : randomKey(random), random.nextBoolean())
              .withTo(random.nextInt(5) == 0 ? null : randomKey(random), random.nextBoolean())
              .withDirection(random.nextBoolean() ? Direction.FORWARD : Direction.BACKWARD);
      List<Bytes> expected = new ArrayList<>(keys);
      expected.removeIf(key -> !range.contains(key));
      if (range.direction() == Direction.BACKWARD) {
        Collections.reverse(expected);
      }
      assertThat(ranges(api).clusterings(main, range))
          .as("seed %s, %s", seed, range)
          .isEqualTo(expected);
    }
  }

  @ParameterizedTest
  @EnumSource
  void range_ofAPointCollection_isRefused(CollectionApi api) {
    assertPermanent(() -> points(api).page(freshMain(), Range.all(), PageLimit.entries(1), null));
  }

  @Test
  void range_rows_carryTheirKeysAndVersions() {
    Bytes main = freshMain();
    List<Row> rows = new ArrayList<>();
    for (String clustering : EXAMPLE) {
      StoreKey key = StoreKey.of(main, hex(clustering));
      long version = write(ranges(), key, Mutation.put(hex(clustering)));
      rows.add(Row.of(key, version, hex(clustering), null));
    }
    RowPage page =
        join(ranges().range(main, Bytes.empty(), Range.all(), PageLimit.entries(10), call()));
    assertThat(page.rows()).isEqualTo(rows);
  }

  @Test
  void range_manyEntriesOfOneMainKey_areAllRead() {
    Bytes main = freshMain();
    boolean large = has(Capability.LARGE_MAIN_KEYS);
    for (int shard = 0; shard < 4; shard++) {
      Bytes part = large ? Bytes.empty() : Bytes.of((byte) shard);
      for (int i = 0; i < 250; i++) {
        StoreKey key = StoreKey.of(main, part, Bytes.of((byte) shard, (byte) i));
        write(ranges(), key, Mutation.put(hex("01")));
      }
    }
    for (int shard = 0; shard < 4; shard++) {
      Bytes part = large ? Bytes.empty() : Bytes.of((byte) shard);
      Range range = Range.prefix(Bytes.of((byte) shard));
      List<Row> rows = new ArrayList<>();
      RowPage page = null;
      do {
        Range rest = page == null ? range : range.beyond(Objects.requireNonNull(page.passed()));
        page = join(ranges().range(main, part, rest, PageLimit.entries(100), call()));
        rows.addAll(page.rows());
      } while (page.passed() != null);
      assertThat(rows).hasSize(250);
      for (int i = 0; i < 250; i++) {
        assertThat(rows.get(i).key())
            .isEqualTo(StoreKey.of(main, part, Bytes.of((byte) shard, (byte) i)));
      }
    }
  }

  private Bytes example(CollectionApi api) {
    return filled(api, EXAMPLE);
  }

  private Bytes filled(CollectionApi api, List<String> clusterings) {
    Bytes main = freshMain();
    List<String> shuffled = new ArrayList<>(clusterings);
    Collections.shuffle(shuffled, new Random(clusterings.size()));
    shuffled.forEach(each -> ranges(api).put(Key.of(main, hex(each)), hex(each)));
    return main;
  }

  private static List<Bytes> expected(List<String> ascending, Range range) {
    List<Bytes> keys = new ArrayList<>(ascending.stream().map(Bytes::fromHex).toList());
    keys.removeIf(key -> !range.contains(key));
    if (range.direction() == Direction.BACKWARD) {
      Collections.reverse(keys);
    }
    return keys;
  }

  private static Bytes randomKey(Random random) {
    byte[] letters = {0, 1, 0x7f, (byte) 0x80, (byte) 0xff};
    byte[] key = new byte[random.nextInt(5)];
    for (int i = 0; i < key.length; i++) {
      key[i] = letters[random.nextInt(letters.length)];
    }
    return Bytes.of(key);
  }
}
