package dev.kvshift.testkit.clause;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.Entry;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Limits;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The store's limits: sizes up to a limit are accepted, larger ones are refused unsent. */
public abstract class LimitsClause extends Clause {
  @Test
  void limits_areOnesToWorkWith() {
    Limits limits = store().limits();
    assertThat(limits.maxMainBytes()).isBetween(1_024, 1 << 20);
    assertThat(limits.maxClusteringBytes()).isBetween(1_024, 1 << 20);
    assertThat(limits.maxValueBytes()).isBetween(64 << 10, 1 << 30);
    assertThat(limits.maxInFlight()).isBetween(1, 1 << 20);
    assertThat(limits.timeout()).isBetween(Duration.ofMillis(1), Duration.ofHours(1));
    assertThat(store().limits()).isEqualTo(limits);
  }

  @Test
  void check_sizesAroundEachLimit_agreesWithTheLimit() {
    Limits limits = store().limits();
    StoreKey longest = StoreKey.of(padded(freshMain(), limits.maxMainBytes()), Bytes.empty());
    StoreKey longer = StoreKey.of(padded(freshMain(), limits.maxMainBytes() + 1), Bytes.empty());
    points().check(longest, Mutation.delete());
    assertInvalid(() -> checked(points(), longer, Mutation.delete()));
    points().check(freshKey(), Mutation.put(Bytes.of(new byte[limits.maxValueBytes()])));
    Mutation larger = Mutation.put(Bytes.of(new byte[limits.maxValueBytes() + 1]));
    assertInvalid(() -> checked(points(), freshKey(), larger));
  }

  @Test
  void check_readerOrClosedStore_isByKeyAndMutationAlone() {
    Store other = tested().fixture.open();
    StoreCollection reader = join(other.open(points().name(), pointLayout(), Claim.READ));
    reader.check(freshKey(), Mutation.put(hex("01")));
    other.close();
    try {
      reader.check(freshKey(), Mutation.put(hex("01")));
    } catch (KvException e) {
      assertThat(e).isNotInstanceOf(KvException.InvalidArgument.class);
    }
  }

  @ParameterizedTest
  @EnumSource
  void put_longestMainPart_isTakenAndALongerOneRefused(CollectionApi api) {
    int limit = store().limits().maxMainBytes();
    Key longest = Key.of(padded(freshMain(), limit));
    points(api).put(longest, hex("01"));
    assertThat(points(api).get(longest)).isEqualTo(hex("01"));
    Key longer = Key.of(padded(freshMain(), limit + 1));
    assertRefusedWhole(points(api), longer);
  }

  @ParameterizedTest
  @EnumSource
  @Needs(Capability.RANGES)
  void put_longestMainPartOfARange_isTakenAndALongerOneRefused(CollectionApi api) {
    int limit = store().limits().maxMainBytes() - tested().fixture.shardBytes();
    Bytes main = padded(freshMain(), limit);
    ranges(api).put(Key.of(main, hex("10")), hex("01"));
    assertThat(ranges(api).entries(main, Range.all(), PageLimit.entries(2)))
        .containsExactly(Entry.of(hex("10"), hex("01")));
    Bytes longer = padded(freshMain(), limit + 1);
    assertRefusedWhole(ranges(api), Key.of(longer, hex("10")));
    assertPermanent(() -> ranges(api).page(longer, Range.all(), PageLimit.entries(1), null));
  }

  @ParameterizedTest
  @EnumSource
  @Needs(Capability.RANGES)
  void put_longestClusteringPart_isTakenAndALongerOneRefused(CollectionApi api) {
    int limit = store().limits().maxClusteringBytes();
    Bytes main = freshMain();
    Bytes longest = padded(hex("10"), limit);
    ranges(api).put(Key.of(main, longest), hex("01"));
    ranges(api).put(Key.of(main, hex("11")), hex("02"));
    assertThat(ranges(api).get(Key.of(main, longest))).isEqualTo(hex("01"));
    assertThat(ranges(api).entries(main, Range.all(), PageLimit.entries(1)))
        .containsExactly(Entry.of(longest, hex("01")), Entry.of(hex("11"), hex("02")));
    assertThat(ranges(api).entries(main, Range.all().backward(), PageLimit.entries(1)))
        .containsExactly(Entry.of(hex("11"), hex("02")), Entry.of(longest, hex("01")));
    assertRefusedWhole(ranges(api), Key.of(main, padded(hex("10"), limit + 1)));
  }

  @ParameterizedTest
  @EnumSource
  void put_longestValue_isTakenAndALongerOneRefused(CollectionApi api) {
    int limit = store().limits().maxValueBytes();
    Key key = Key.of(freshMain());
    byte[] value = new byte[limit];
    new Random(limit).nextBytes(value);
    points(api).put(key, Bytes.of(value));
    assertThat(Bytes.of(value).equals(points(api).get(key))).isTrue();
    Key other = Key.of(freshMain());
    points(api).put(other, hex("01"));
    assertPermanent(
        () -> {
          points(api).put(other, Bytes.of(new byte[limit + 1]));
          return other;
        });
    assertThat(points(api).get(other)).isEqualTo(hex("01"));
    points(api).delete(key);
  }

  @ParameterizedTest
  @EnumSource
  @Needs(Capability.RANGES)
  void page_largestLimits_areTaken(CollectionApi api) {
    Bytes main = freshMain();
    ranges(api).put(Key.of(main, hex("10")), hex("01"));
    PageLimit most = PageLimit.of(PageLimit.MAX_ENTRIES, PageLimit.MAX_BYTES);
    assertThat(ranges(api).entries(main, Range.all(), most))
        .containsExactly(Entry.of(hex("10"), hex("01")));
    assertThat(ranges(api).entries(main, Range.all(), PageLimit.of(1, 1)))
        .containsExactly(Entry.of(hex("10"), hex("01")));
  }

  private static void assertRefusedWhole(CollectionUnderTest collection, Key key) {
    assertPermanent(
        () -> {
          collection.put(key, hex("01"));
          return key;
        });
    assertPermanent(
        () -> {
          collection.delete(key);
          return key;
        });
    assertPermanent(() -> collection.get(key));
  }

  private static StoreKey checked(StoreCollection collection, StoreKey key, Mutation mutation) {
    collection.check(key, mutation);
    return key;
  }

  private static Bytes padded(Bytes start, int size) {
    return start.concat(Bytes.of(new byte[size - start.size()]));
  }
}
