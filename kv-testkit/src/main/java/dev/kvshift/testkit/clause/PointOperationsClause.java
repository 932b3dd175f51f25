package dev.kvshift.testkit.clause;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Key;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Writing and reading one key of a point collection. */
public abstract class PointOperationsClause extends Clause {
  @ParameterizedTest
  @EnumSource
  void get_neverWritten_isEmpty(CollectionApi api) {
    assertThat(points(api).get(Key.of(freshMain()))).isNull();
  }

  @ParameterizedTest
  @CsvSource({
    "SPI,0", "SPI,1", "SPI,255", "SPI,4096", "SPI,65537",
    "SYNC,0", "SYNC,1", "SYNC,255", "SYNC,4096", "SYNC,65537",
    "ASYNC,0", "ASYNC,1", "ASYNC,255", "ASYNC,4096", "ASYNC,65537"
  })
  void get_valueOfSize_isWhatWasWritten(CollectionApi api, int size) {
    byte[] value = new byte[size];
    new Random(size).nextBytes(value);
    Key key = Key.of(freshMain());
    points(api).put(key, Bytes.of(value));
    assertThat(points(api).get(key)).isEqualTo(Bytes.of(value));
  }

  @ParameterizedTest
  @EnumSource
  void get_valueOfEveryByte_isWhatWasWritten(CollectionApi api) {
    byte[] every = new byte[512];
    for (int i = 0; i < every.length; i++) {
      every[i] = (byte) i;
    }
    Key key = Key.of(freshMain());
    points(api).put(key, Bytes.of(every));
    assertThat(points(api).get(key)).isEqualTo(Bytes.of(every));
  }

  @ParameterizedTest
  @EnumSource
  void put_again_replacesTheValue(CollectionApi api) {
    Key key = Key.of(freshMain());
    for (String value : List.of("01", "0203", "", "ff", "02")) {
      points(api).put(key, hex(value));
      assertThat(points(api).get(key)).isEqualTo(hex(value));
    }
  }

  @ParameterizedTest
  @EnumSource
  void put_sameValueAgain_leavesIt(CollectionApi api) {
    Key key = Key.of(freshMain());
    points(api).put(key, hex("0a"));
    points(api).put(key, hex("0a"));
    assertThat(points(api).get(key)).isEqualTo(hex("0a"));
  }

  @ParameterizedTest
  @EnumSource
  void put_longThenShortValue_leavesNothingOfTheLong(CollectionApi api) {
    Key key = Key.of(freshMain());
    points(api).put(key, Bytes.of(new byte[100_000]));
    points(api).put(key, hex("0102"));
    assertThat(points(api).get(key)).isEqualTo(hex("0102"));
  }

  @ParameterizedTest
  @EnumSource
  void put_keysOfEveryLastByte_areKeptApart(CollectionApi api) {
    Bytes main = freshMain();
    for (int i = 0; i < 256; i++) {
      points(api).put(Key.of(main.concat(Bytes.of((byte) i))), Bytes.of((byte) ~i));
    }
    for (int i = 0; i < 256; i++) {
      assertThat(points(api).get(Key.of(main.concat(Bytes.of((byte) i)))))
          .isEqualTo(Bytes.of((byte) ~i));
    }
    assertThat(points(api).get(Key.of(main))).isNull();
  }

  @ParameterizedTest
  @EnumSource
  void put_keysThatBeginAlike_areKeptApart(CollectionApi api) {
    Bytes main = freshMain();
    List<String> tails = List.of("", "00", "0000", "01", "ff", "ffff", "00ff");
    for (String tail : tails) {
      points(api).put(Key.of(main.concat(hex(tail))), hex("ee" + tail));
    }
    for (String tail : tails) {
      assertThat(points(api).get(Key.of(main.concat(hex(tail))))).isEqualTo(hex("ee" + tail));
    }
  }

  @ParameterizedTest
  @CsvSource({"SPI,1", "SPI,2", "SYNC,1", "SYNC,2", "ASYNC,1", "ASYNC,2"})
  void put_shortestKeys_areTaken(CollectionApi api, int size) {
    Key key = Key.of(Bytes.of(new byte[size]));
    Bytes value = freshMain();
    points(api).put(key, value);
    assertThat(points(api).get(key)).isEqualTo(value);
  }

  @ParameterizedTest
  @EnumSource
  void put_twoCollections_doNotMeet(CollectionApi api) {
    Bytes main = freshMain();
    String other = tested().freshName();
    tested().through(api, other, pointLayout()).put(Key.of(main), hex("02"));
    assertThat(points(api).get(Key.of(main))).isNull();
    points(api).put(Key.of(main), hex("01"));
    assertThat(points(api).get(Key.of(main))).isEqualTo(hex("01"));
    assertThat(tested().through(api, other, pointLayout()).get(Key.of(main))).isEqualTo(hex("02"));
  }

  @ParameterizedTest
  @EnumSource
  void put_oneFace_isReadThroughTheOthers(CollectionApi api) {
    Key key = Key.of(freshMain());
    points(api).put(key, hex("0b"));
    for (CollectionApi other : CollectionApi.values()) {
      assertThat(points(other).get(key)).isEqualTo(hex("0b"));
    }
  }

  @ParameterizedTest
  @EnumSource
  void get_hundredsOfKeys_eachHasItsOwnValue(CollectionApi api) {
    List<Bytes> mains = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      Bytes main = freshMain();
      mains.add(main);
      points(api).put(Key.of(main), main.concat(main));
    }
    for (Bytes main : mains) {
      assertThat(points(api).get(Key.of(main))).isEqualTo(main.concat(main));
    }
  }

  @Test
  void get_anotherConnection_seesWhatWasAcknowledged() {
    StoreKey key = freshKey();
    try (Store other = tested().fixture.open()) {
      StoreCollection there = join(other.open(points().name(), pointLayout(), Claim.ACTIVE));
      long first = write(points(), key, Mutation.put(hex("01")));
      assertThat(read(there, key)).isEqualTo(Row.of(key, first, hex("01"), null));
      long second = write(there, key, Mutation.put(hex("02")));
      assertThat(read(points(), key)).isEqualTo(Row.of(key, second, hex("02"), null));
    }
  }

  @Test
  void get_neverWritten_isNoRow() {
    assertThat(read(points(), freshKey())).isNull();
  }

  @Test
  void get_row_carriesTheVersionThatTheWriteReturned() {
    StoreKey key = freshKey();
    for (int i = 0; i < 20; i++) {
      Bytes value = Bytes.of((byte) i);
      long version = write(points(), key, Mutation.put(value));
      assertThat(read(points(), key)).isEqualTo(Row.of(key, version, value, null));
    }
  }

  @Test
  void capabilities_areThoseOfTheFixture() {
    assertThat(store().capabilities()).isEqualTo(tested().fixture.capabilities());
  }

  @Test
  void description_isNotEmptyAndStable() {
    assertThat(store().description()).isNotBlank().isEqualTo(store().description());
  }

  @Test
  void name_andLayout_areThoseOfTheOpening() {
    assertThat(points().name()).isEqualTo(tested().sharedName(pointLayout()));
    assertThat(points().layout()).isEqualTo(pointLayout());
  }
}
