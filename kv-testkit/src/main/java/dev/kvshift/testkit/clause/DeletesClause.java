package dev.kvshift.testkit.clause;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.Entry;
import dev.kvshift.api.Key;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Deletes of single keys. */
public abstract class DeletesClause extends Clause {
  @ParameterizedTest
  @EnumSource
  void delete_existing_isGone(CollectionApi api) {
    Key key = Key.of(freshMain());
    points(api).put(key, hex("01"));
    points(api).delete(key);
    assertThat(points(api).get(key)).isNull();
  }

  @ParameterizedTest
  @EnumSource
  void delete_neverWritten_succeeds(CollectionApi api) {
    Key key = Key.of(freshMain());
    points(api).delete(key);
    assertThat(points(api).get(key)).isNull();
  }

  @ParameterizedTest
  @EnumSource
  void delete_twice_succeeds(CollectionApi api) {
    Key key = Key.of(freshMain());
    points(api).put(key, hex("01"));
    points(api).delete(key);
    points(api).delete(key);
    assertThat(points(api).get(key)).isNull();
  }

  @ParameterizedTest
  @EnumSource
  void put_afterDelete_isBack(CollectionApi api) {
    Key key = Key.of(freshMain());
    for (int i = 0; i < 10; i++) {
      points(api).put(key, Bytes.of((byte) i));
      assertThat(points(api).get(key)).isEqualTo(Bytes.of((byte) i));
      points(api).delete(key);
      assertThat(points(api).get(key)).isNull();
    }
  }

  @ParameterizedTest
  @EnumSource
  void delete_emptyValue_isGone(CollectionApi api) {
    Key key = Key.of(freshMain());
    points(api).put(key, Bytes.empty());
    assertThat(points(api).get(key)).isEqualTo(Bytes.empty());
    points(api).delete(key);
    assertThat(points(api).get(key)).isNull();
  }

  @ParameterizedTest
  @EnumSource
  void delete_largeValue_isGone(CollectionApi api) {
    Key key = Key.of(freshMain());
    points(api).put(key, Bytes.of(new byte[200_000]));
    points(api).delete(key);
    assertThat(points(api).get(key)).isNull();
    points(api).put(key, hex("01"));
    assertThat(points(api).get(key)).isEqualTo(hex("01"));
  }

  @ParameterizedTest
  @EnumSource
  void delete_oneOfKeysThatBeginAlike_leavesTheOthers(CollectionApi api) {
    Bytes main = freshMain();
    List<String> tails = List.of("", "00", "0000", "ff");
    tails.forEach(tail -> points(api).put(Key.of(main.concat(hex(tail))), hex("01")));
    points(api).delete(Key.of(main.concat(hex("00"))));
    assertThat(points(api).get(Key.of(main))).isEqualTo(hex("01"));
    assertThat(points(api).get(Key.of(main.concat(hex("00"))))).isNull();
    assertThat(points(api).get(Key.of(main.concat(hex("0000"))))).isEqualTo(hex("01"));
    assertThat(points(api).get(Key.of(main.concat(hex("ff"))))).isEqualTo(hex("01"));
  }

  @ParameterizedTest
  @EnumSource
  @Needs(Capability.RANGES)
  void delete_oneEntryOfARange_leavesItsNeighbours(CollectionApi api) {
    Bytes main = freshMain();
    for (String clustering : List.of("", "10", "1000", "20", "30")) {
      ranges(api).put(Key.of(main, hex(clustering)), hex("01"));
    }
    ranges(api).delete(Key.of(main, hex("10")));
    assertThat(ranges(api).clusterings(main, Range.all()))
        .containsExactly(hex(""), hex("1000"), hex("20"), hex("30"));
    ranges(api).delete(Key.of(main, hex("")));
    ranges(api).delete(Key.of(main, hex("30")));
    assertThat(ranges(api).clusterings(main, Range.all().backward()))
        .containsExactly(hex("20"), hex("1000"));
  }

  @ParameterizedTest
  @EnumSource
  @Needs(Capability.RANGES)
  void delete_everyEntryOfARange_leavesItEmptyAndUsable(CollectionApi api) {
    Bytes main = freshMain();
    for (int i = 0; i < 20; i++) {
      ranges(api).put(Key.of(main, Bytes.of((byte) i)), hex("01"));
    }
    for (int i = 0; i < 20; i++) {
      ranges(api).delete(Key.of(main, Bytes.of((byte) i)));
    }
    assertThat(ranges(api).entries(main, Range.all(), PageLimit.entries(5))).isEmpty();
    ranges(api).put(Key.of(main, hex("07")), hex("02"));
    assertThat(ranges(api).entries(main, Range.all(), PageLimit.entries(5)))
        .containsExactly(Entry.of(hex("07"), hex("02")));
  }

  @Test
  void delete_withTimeToLive_isRefusedAndChangesNothing() {
    Key key = Key.of(freshMain());
    points(CollectionApi.SYNC).put(key, hex("01"));
    var view = tested().view(tested().sharedName(pointLayout()), pointLayout());
    assertPermanent(
        () -> {
          view.delete(key, WriteOptions.ttl(Duration.ofSeconds(1)));
          return key;
        });
    assertPermanent(() -> view.async().delete(key, WriteOptions.ttl(Duration.ofSeconds(1))));
    assertThat(points(CollectionApi.SYNC).get(key)).isEqualTo(hex("01"));
  }

  @Test
  @Needs(Capability.TOMBSTONE_READS)
  void get_deleted_isATombstoneOfTheDeletesVersion() {
    StoreKey key = freshKey();
    long put = write(points(), key, Mutation.put(hex("01")));
    long deleted = write(points(), key, Mutation.delete());
    assertThat(deleted).isGreaterThan(put);
    assertThat(read(points(), key)).isEqualTo(Row.tombstone(key, deleted));
    long again = write(points(), key, Mutation.put(hex("02")));
    assertThat(read(points(), key)).isEqualTo(Row.of(key, again, hex("02"), null));
  }

  @Test
  @Needs(Capability.TOMBSTONE_READS)
  void get_deletedThoughNeverWritten_isATombstone() {
    StoreKey key = freshKey();
    long deleted = write(points(), key, Mutation.delete());
    assertThat(read(points(), key)).isEqualTo(Row.tombstone(key, deleted));
  }

  @Test
  @Needs({Capability.TOMBSTONE_READS, Capability.RANGES})
  void range_deletedEntries_areTombstonesInTheirPlaces() {
    Bytes main = freshMain();
    StoreKey first = StoreKey.of(main, hex("10"));
    StoreKey second = StoreKey.of(main, hex("20"));
    write(ranges(), first, Mutation.put(hex("01")));
    long kept = write(ranges(), second, Mutation.put(hex("02")));
    long deleted = write(ranges(), first, Mutation.delete());
    var page =
        join(ranges().range(main, Bytes.empty(), Range.all(), PageLimit.entries(10), call()));
    assertThat(page.rows())
        .containsExactly(Row.tombstone(first, deleted), Row.of(second, kept, hex("02"), null));
  }
}
