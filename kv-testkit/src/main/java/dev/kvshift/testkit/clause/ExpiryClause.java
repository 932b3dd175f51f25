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
import java.time.Instant;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Entries that expire at an absolute instant. */
@Needs(Capability.EXPIRY)
public abstract class ExpiryClause extends Clause {
  private static final Duration LONG_LIFE = Duration.ofHours(2);

  @ParameterizedTest
  @EnumSource
  void put_timeToLive_isReadUntilItEndsAndNotAfter(CollectionApi api) {
    Key key = Key.of(freshMain());
    points(api).put(key, hex("01"), WriteOptions.ttl(shortLife()));
    assertThat(points(api).get(key)).isEqualTo(hex("01"));
    awaitEnd();
    assertThat(points(api).get(key)).isNull();
  }

  @ParameterizedTest
  @EnumSource
  void put_longTimeToLive_isStillReadWhenAShorterOneHasEnded(CollectionApi api) {
    Key key = Key.of(freshMain());
    points(api).put(key, hex("01"), WriteOptions.ttl(LONG_LIFE));
    awaitEnd();
    assertThat(points(api).get(key)).isEqualTo(hex("01"));
  }

  @ParameterizedTest
  @EnumSource
  void put_longestTimeToLive_isTaken(CollectionApi api) {
    Key key = Key.of(freshMain());
    points(api).put(key, hex("01"), WriteOptions.ttl(WriteOptions.MAX_TTL));
    assertThat(points(api).get(key)).isEqualTo(hex("01"));
  }

  @ParameterizedTest
  @EnumSource
  void put_withoutTimeToLiveOverAnExpiringOne_staysForEver(CollectionApi api) {
    Key key = Key.of(freshMain());
    points(api).put(key, hex("01"), WriteOptions.ttl(shortLife()));
    points(api).put(key, hex("02"));
    awaitEnd();
    assertThat(points(api).get(key)).isEqualTo(hex("02"));
  }

  @ParameterizedTest
  @EnumSource
  void put_expiringOverAnEverlastingOne_leavesNothingWhenItEnds(CollectionApi api) {
    Key key = Key.of(freshMain());
    points(api).put(key, hex("01"));
    points(api).put(key, hex("02"), WriteOptions.ttl(shortLife()));
    assertThat(points(api).get(key)).isEqualTo(hex("02"));
    awaitEnd();
    assertThat(points(api).get(key)).isNull();
  }

  @ParameterizedTest
  @EnumSource
  void put_shorterLifeOverALonger_endsWithTheShorter(CollectionApi api) {
    Key key = Key.of(freshMain());
    points(api).put(key, hex("01"), WriteOptions.ttl(LONG_LIFE));
    points(api).put(key, hex("02"), WriteOptions.ttl(shortLife()));
    awaitEnd();
    assertThat(points(api).get(key)).isNull();
  }

  @ParameterizedTest
  @EnumSource
  void put_longerLifeOverAShorter_outlivesTheShorter(CollectionApi api) {
    Key key = Key.of(freshMain());
    points(api).put(key, hex("01"), WriteOptions.ttl(shortLife()));
    points(api).put(key, hex("02"), WriteOptions.ttl(LONG_LIFE));
    awaitEnd();
    assertThat(points(api).get(key)).isEqualTo(hex("02"));
  }

  @ParameterizedTest
  @EnumSource
  void put_afterTheEnd_isBack(CollectionApi api) {
    Key key = Key.of(freshMain());
    points(api).put(key, hex("01"), WriteOptions.ttl(shortLife()));
    awaitEnd();
    assertThat(points(api).get(key)).isNull();
    points(api).put(key, hex("02"));
    assertThat(points(api).get(key)).isEqualTo(hex("02"));
  }

  @ParameterizedTest
  @EnumSource
  void delete_beforeTheEnd_staysDeleted(CollectionApi api) {
    Key key = Key.of(freshMain());
    points(api).put(key, hex("01"), WriteOptions.ttl(shortLife()));
    points(api).delete(key);
    assertThat(points(api).get(key)).isNull();
    awaitEnd();
    assertThat(points(api).get(key)).isNull();
  }

  @ParameterizedTest
  @EnumSource
  @Needs(Capability.RANGES)
  void range_expiredEntries_areLeftOut(CollectionApi api) {
    Bytes main = freshMain();
    ranges(api).put(Key.of(main, hex("10")), hex("01"), WriteOptions.ttl(shortLife()));
    ranges(api).put(Key.of(main, hex("20")), hex("02"));
    ranges(api).put(Key.of(main, hex("30")), hex("03"), WriteOptions.ttl(LONG_LIFE));
    ranges(api).put(Key.of(main, hex("40")), hex("04"), WriteOptions.ttl(shortLife()));
    assertThat(ranges(api).clusterings(main, Range.all()))
        .containsExactly(hex("10"), hex("20"), hex("30"), hex("40"));
    awaitEnd();
    assertThat(ranges(api).entries(main, Range.all(), PageLimit.entries(1)))
        .containsExactly(Entry.of(hex("20"), hex("02")), Entry.of(hex("30"), hex("03")));
    assertThat(ranges(api).clusterings(main, Range.all().backward()))
        .containsExactly(hex("30"), hex("20"));
  }

  @Test
  void get_expiringRow_carriesItsExpiryToTheMillisecond() {
    StoreKey key = freshKey();
    Instant expiry = expiryIn(LONG_LIFE).plusMillis(1);
    long version = write(points(), key, expiring(expiry));
    assertThat(read(points(), key)).isEqualTo(Row.of(key, version, hex("01"), expiry));
  }

  @Test
  @Needs({Capability.EXPIRY, Capability.RANGES})
  void range_expiringRow_carriesItsExpiryToTheMillisecond() {
    StoreKey key = StoreKey.of(freshMain(), hex("10"));
    Instant expiry = expiryIn(LONG_LIFE).plusMillis(999);
    long version = write(ranges(), key, expiring(expiry));
    assertThat(
            join(ranges()
                    .range(key.main(), Bytes.empty(), Range.all(), PageLimit.entries(9), call()))
                .rows())
        .containsExactly(Row.of(key, version, hex("01"), expiry));
  }

  @Test
  void write_expiryLongPast_hidesWhatWasThere() {
    StoreKey key = freshKey();
    write(points(), key, Mutation.put(hex("01")));
    write(points(), key, expiring(expiryIn(Duration.ofHours(-1))));
    assertThat(points(CollectionApi.SPI).get(Key.of(key.main()))).isNull();
    write(points(), key, Mutation.put(hex("02")));
    assertThat(points(CollectionApi.SPI).get(Key.of(key.main()))).isEqualTo(hex("02"));
  }

  @Test
  @Needs({Capability.EXPIRY, Capability.TOMBSTONE_READS})
  void get_expired_isATombstoneOfItsVersion() {
    StoreKey key = freshKey();
    Instant expiry = expiryIn(shortLife());
    long version = write(points(), key, expiring(expiry));
    awaitPast(expiry);
    assertThat(read(points(), key)).isEqualTo(Row.tombstone(key, version));
  }

  @Test
  @Needs({Capability.EXPIRY, Capability.VERSIONED_WRITES})
  void write_replayed_extendsNoLife() {
    StoreKey key = freshKey();
    Instant expiry = expiryIn(shortLife());
    Mutation mutation = expiring(expiry).withVersion(versionAgo(Duration.ofMinutes(1)));
    for (int i = 0; i < 3; i++) {
      write(points(), key, mutation);
      assertThat(Objects.requireNonNull(read(points(), key)).expiry()).isEqualTo(expiry);
    }
    awaitPast(expiry);
    write(points(), key, mutation);
    assertThat(points(CollectionApi.SPI).get(Key.of(key.main()))).isNull();
  }

  @Test
  @Needs({Capability.EXPIRY, Capability.VERSIONED_WRITES})
  void write_laterLifeAtALowerVersion_isWithoutEffect() {
    StoreKey key = freshKey();
    Instant expiry = expiryIn(shortLife());
    long version = versionAgo(Duration.ofMinutes(1));
    write(points(), key, expiring(expiry).withVersion(version));
    write(points(), key, expiring(expiryIn(LONG_LIFE)).withVersion(version - 1));
    write(points(), key, Mutation.put(hex("07")).withVersion(version - 2));
    assertThat(read(points(), key)).isEqualTo(Row.of(key, version, hex("01"), expiry));
    awaitPast(expiry);
    assertThat(points(CollectionApi.SPI).get(Key.of(key.main()))).isNull();
  }

  @Test
  @Needs({Capability.EXPIRY, Capability.VERSIONED_WRITES})
  void write_belowAnExpiredRow_staysHidden() {
    StoreKey key = freshKey();
    Instant expiry = expiryIn(shortLife());
    long version = versionAgo(Duration.ofMinutes(1));
    write(points(), key, expiring(expiry).withVersion(version));
    awaitPast(expiry);
    write(points(), key, Mutation.put(hex("07")).withVersion(version - 1));
    assertThat(points(CollectionApi.SPI).get(Key.of(key.main()))).isNull();
    write(points(), key, Mutation.put(hex("08")).withVersion(version + 1));
    assertThat(read(points(), key)).isEqualTo(Row.of(key, version + 1, hex("08"), null));
  }

  private void awaitEnd() {
    awaitPast(tested().fixture.clock().instant().plus(shortLife()));
  }
}
