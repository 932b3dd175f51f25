package dev.kvshift.testkit.clause;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.Key;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Versions: the highest version wins in whatever order writes arrive, and every store resolves ties
 * in the same way.
 */
public abstract class VersionsClause extends Clause {
  private static final Duration AGO = Duration.ofMinutes(5);

  @Test
  void write_withoutVersion_drawsRisingOnes() {
    StoreKey key = freshKey();
    long last = 0;
    for (int i = 0; i < 200; i++) {
      long version = write(points(), key, i % 3 == 0 ? Mutation.delete() : Mutation.put(hex("01")));
      assertThat(version).isGreaterThan(last);
      last = version;
    }
  }

  @Test
  void write_withoutVersion_drawsThemFromTheClock() {
    long before = VersionClock.micros(serverTime());
    long version = write(points(), freshKey(), Mutation.put(hex("01")));
    long after = VersionClock.micros(serverTime());
    long slack = 1_250_000;
    assertThat(version).isBetween(before - slack, after + slack);
  }

  @Test
  @Needs(Capability.VERSIONED_WRITES)
  void write_higherVersion_wins() {
    StoreKey key = freshKey();
    long version = versionAgo(AGO);
    for (int i = 0; i < 20; i++) {
      Bytes value = Bytes.of((byte) i);
      assertThat(write(points(), key, Mutation.put(value).withVersion(version + i)))
          .isEqualTo(version + i);
      assertThat(read(points(), key)).isEqualTo(Row.of(key, version + i, value, null));
    }
  }

  @Test
  @Needs(Capability.VERSIONED_WRITES)
  void write_lowerVersion_succeedsWithoutEffect() {
    StoreKey key = freshKey();
    long version = versionAgo(AGO);
    write(points(), key, Mutation.put(hex("01")).withVersion(version));
    for (long lower : List.of(version - 1, version - 1_000_000, versionAgo(Duration.ofDays(1)))) {
      assertThat(write(points(), key, Mutation.put(hex("02")).withVersion(lower))).isEqualTo(lower);
      assertThat(write(points(), key, Mutation.delete().withVersion(lower))).isEqualTo(lower);
      assertThat(read(points(), key)).isEqualTo(Row.of(key, version, hex("01"), null));
    }
  }

  @Test
  @Needs(Capability.VERSIONED_WRITES)
  void write_sameAgain_isTheSame() {
    StoreKey key = freshKey();
    Mutation mutation = Mutation.put(hex("01")).withVersion(versionAgo(AGO));
    long first = write(points(), key, mutation);
    Row row = read(points(), key);
    assertThat(write(points(), key, mutation)).isEqualTo(first);
    assertThat(read(points(), key)).isEqualTo(row);
  }

  @Test
  @Needs(Capability.VERSIONED_WRITES)
  void write_belowADelete_staysDeleted() {
    StoreKey key = freshKey();
    long version = versionAgo(AGO);
    write(points(), key, Mutation.delete().withVersion(version));
    write(points(), key, Mutation.put(hex("01")).withVersion(version - 1));
    assertThat(points(CollectionApi.SPI).get(Key.of(key.main()))).isNull();
    write(points(), key, Mutation.put(hex("02")).withVersion(version + 1));
    assertThat(read(points(), key)).isEqualTo(Row.of(key, version + 1, hex("02"), null));
  }

  @Test
  @Needs(Capability.VERSIONED_WRITES)
  void write_withoutVersionAfterAVersionedOne_wins() {
    StoreKey key = freshKey();
    long version = versionAgo(Duration.ofSeconds(1));
    write(points(), key, Mutation.put(hex("01")).withVersion(version));
    long drawn = write(points(), key, Mutation.put(hex("02")));
    assertThat(drawn).isGreaterThan(version);
    assertThat(read(points(), key)).isEqualTo(Row.of(key, drawn, hex("02"), null));
  }

  @Test
  @Needs(Capability.VERSIONED_WRITES)
  void write_deleteAndPutAtOneVersion_stayDead() {
    tie(Mutation.put(hex("ff")), Mutation.delete(), null, null);
  }

  @Test
  @Needs({Capability.VERSIONED_WRITES, Capability.EXPIRY})
  void write_deleteAndExpiringPutAtOneVersion_stayDead() {
    tie(expiring(expiryIn(Duration.ofHours(1))), Mutation.delete(), null, null);
  }

  @ParameterizedTest
  @CsvSource({"01,02", "01,0100", "7f,80", "'',00", "00ff,01"})
  @Needs(Capability.VERSIONED_WRITES)
  void write_twoValuesAtOneVersion_theGreaterStays(String lower, String greater) {
    tie(Mutation.put(hex(lower)), Mutation.put(hex(greater)), hex(greater), null);
  }

  @Test
  @Needs({Capability.VERSIONED_WRITES, Capability.EXPIRY})
  void write_expiringAndEverlastingAtOneVersion_theExpiringStays() {
    Instant expiry = expiryIn(Duration.ofHours(1));
    tie(Mutation.put(hex("ff")), Mutation.put(hex("01")).withExpiry(expiry), hex("01"), expiry);
  }

  @Test
  @Needs({Capability.VERSIONED_WRITES, Capability.EXPIRY})
  void write_twoExpiriesAtOneVersion_theLaterStaysWithItsValue() {
    Instant earlier = expiryIn(Duration.ofHours(1));
    tie(
        Mutation.put(hex("ff")).withExpiry(earlier),
        Mutation.put(hex("01")).withExpiry(earlier.plusMillis(1)),
        hex("01"),
        earlier.plusMillis(1));
  }

  @Test
  @Needs({Capability.VERSIONED_WRITES, Capability.EXPIRY})
  void write_sameExpiryAtOneVersion_theGreaterValueStays() {
    Instant expiry = expiryIn(Duration.ofHours(1));
    tie(
        Mutation.put(hex("01")).withExpiry(expiry),
        Mutation.put(hex("02")).withExpiry(expiry),
        hex("02"),
        expiry);
  }

  @ParameterizedTest
  @ValueSource(longs = {11, 12, 13, 14})
  @Needs({Capability.VERSIONED_WRITES, Capability.EXPIRY})
  void write_anyOrderOfArrival_endsInTheSameRow(long seed) {
    Random random = new Random(seed);
    long version = versionAgo(AGO);
    for (int round = 0; round < 20; round++) {
      List<Mutation> mutations = new ArrayList<>();
      for (int i = 0; i < 6; i++) {
        mutations.add(randomMutation(random, version));
      }
      StoreKey any = freshKey();
      Row winner =
          mutations.stream()
              .map(m -> Row.of(any, version(m), m.value(), m.expiry()))
              .max(Row.PRECEDENCE)
              .orElseThrow();
      for (int order = 0; order < 3; order++) {
        Collections.shuffle(mutations, random);
        StoreKey key = freshKey();
        mutations.forEach(mutation -> write(points(), key, mutation));
        assertRow(winner.withKey(key), "seed " + seed + ", " + mutations);
      }
    }
  }

  @Test
  @Needs({Capability.VERSIONED_WRITES, Capability.RANGES})
  void range_versionedRows_areResolvedEachOnItsOwn() {
    Bytes main = freshMain();
    long version = versionAgo(AGO);
    StoreKey first = StoreKey.of(main, hex("10"));
    StoreKey second = StoreKey.of(main, hex("20"));
    write(ranges(), first, Mutation.put(hex("01")).withVersion(version + 5));
    write(ranges(), second, Mutation.put(hex("02")).withVersion(version));
    write(ranges(), first, Mutation.put(hex("03")).withVersion(version + 4));
    write(ranges(), second, Mutation.put(hex("04")).withVersion(version + 4));
    assertThat(
            join(ranges().range(main, Bytes.empty(), Range.all(), PageLimit.entries(9), call()))
                .rows())
        .containsExactly(
            Row.of(first, version + 5, hex("01"), null),
            Row.of(second, version + 4, hex("04"), null));
  }

  @Test
  @Needs({Capability.VERSIONED_WRITES, Capability.TOMBSTONE_READS})
  void get_versionedDelete_isATombstoneOfItsVersion() {
    StoreKey key = freshKey();
    long version = versionAgo(AGO);
    write(points(), key, Mutation.put(hex("01")).withVersion(version));
    write(points(), key, Mutation.delete().withVersion(version + 1));
    assertThat(read(points(), key)).isEqualTo(Row.tombstone(key, version + 1));
  }

  @Test
  @Needs({Capability.VERSIONED_WRITES})
  void write_largeAndSmallValuesByVersion_neverMix() {
    StoreKey key = freshKey();
    long version = versionAgo(AGO);
    byte[] large = new byte[150_000];
    new Random(5).nextBytes(large);
    write(points(), key, Mutation.put(Bytes.of(large)).withVersion(version + 2));
    write(points(), key, Mutation.put(hex("01")).withVersion(version + 1));
    assertThat(read(points(), key)).isEqualTo(Row.of(key, version + 2, Bytes.of(large), null));
    write(points(), key, Mutation.put(hex("02")).withVersion(version + 3));
    assertThat(read(points(), key)).isEqualTo(Row.of(key, version + 3, hex("02"), null));
    write(points(), key, Mutation.put(Bytes.of(large)).withVersion(version + 2));
    assertThat(read(points(), key)).isEqualTo(Row.of(key, version + 3, hex("02"), null));
  }

  /** Asserts that the greater of two writes with one version wins in either order of arrival. */
  private void tie(
      Mutation lower, Mutation greater, @Nullable Bytes value, @Nullable Instant expiry) {
    long version = versionAgo(AGO);
    for (List<Mutation> order :
        List.of(
            List.of(lower, greater), List.of(greater, lower), List.of(greater, lower, greater))) {
      StoreKey key = freshKey();
      order.forEach(mutation -> write(points(), key, mutation.withVersion(version)));
      assertRow(Row.of(key, version, value, expiry), order.toString());
    }
  }

  private void assertRow(Row expected, String how) {
    Row row = read(points(), expected.key());
    if (expected.isTombstone() && !has(Capability.TOMBSTONE_READS)) {
      assertThat(row).as(how).isNull();
    } else {
      assertThat(row).as(how).isEqualTo(expected);
    }
  }

  private Mutation randomMutation(Random random, long version) {
    long drawn = version + random.nextInt(3);
    if (random.nextInt(4) == 0) {
      return Mutation.delete().withVersion(drawn);
    }
    Instant expiry =
        random.nextBoolean() ? null : expiryIn(Duration.ofHours(1)).plusMillis(random.nextInt(2));
    return Mutation.put(Bytes.of((byte) random.nextInt(256))).withExpiry(expiry).withVersion(drawn);
  }

  private static long version(Mutation mutation) {
    return Objects.requireNonNull(mutation.version());
  }
}
