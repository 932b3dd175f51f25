package dev.kvshift.testkit.clause;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvException.Permanent;
import dev.kvshift.api.KvException.Transient;
import dev.kvshift.api.KvException.UnknownOutcome;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.testkit.concurrent.Await;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Failed requests: their error type, before they are sent if possible, and without side effects.
 */
public abstract class ErrorsClause extends Clause {
  private static final Duration LATE = Duration.ofMillis(-1);

  @Test
  void get_deadlinePassed_isTransient() {
    Await.failure(Transient.class, () -> points().get(freshKey(), Call.within(LATE)));
  }

  @Test
  @Needs(Capability.RANGES)
  void range_deadlinePassed_isTransient() {
    Await.failure(
        Transient.class,
        () ->
            ranges()
                .range(
                    freshMain(),
                    Bytes.empty(),
                    Range.all(),
                    PageLimit.entries(1),
                    Call.within(LATE)));
  }

  @Test
  void write_deadlinePassed_isTransientAndNotApplied_orUnknown() {
    StoreKey key = freshKey();
    write(points(), key, Mutation.put(hex("01")));
    KvException error =
        Await.failure(() -> points().write(key, Mutation.put(hex("02")), Call.within(LATE)));
    assertThat(error).isInstanceOfAny(Transient.class, UnknownOutcome.class);
    if (error instanceof Transient) {
      assertThat(points(CollectionApi.SPI).get(Key.of(key.main()))).isEqualTo(hex("01"));
    }
  }

  @ParameterizedTest
  @EnumSource
  void put_clusteringPartInAPointCollection_isPermanent(CollectionApi api) {
    Key key = Key.of(freshMain(), hex("01"));
    assertPermanent(() -> points(api).get(key));
    assertPermanent(() -> put(api, key, hex("01")));
    assertPermanent(() -> delete(api, key));
    assertThat(points(api).get(Key.of(key.main()))).isNull();
  }

  @ParameterizedTest
  @EnumSource
  void put_emptyKeyInAPointCollection_isPermanent(CollectionApi api) {
    Key key = Key.of(Bytes.empty());
    assertPermanent(() -> points(api).get(key));
    assertPermanent(() -> put(api, key, hex("01")));
    assertPermanent(() -> delete(api, key));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "A",
        "1a",
        "a-b_c",
        "a b",
        "a/b",
        "a.b",
        "é",
        "a-234567890123456789012345678901234"
      })
  void open_wrongName_isPermanent(String name) {
    assertPermanent(() -> store().open(name, pointLayout(), Claim.ACTIVE));
    assertPermanent(() -> tested().view.collection(name, pointLayout()));
  }

  @Test
  @Needs({Capability.METADATA, Capability.RANGES})
  void open_otherLayout_isPermanentAndNamesBoth() {
    String name = tested().freshName();
    tested().collection(name, pointLayout());
    Permanent error =
        Await.failure(Permanent.class, () -> store().open(name, rangeLayout(), Claim.ACTIVE));
    assertThat(error.getMessage())
        .contains(name)
        .contains(pointLayout().toString())
        .contains(rangeLayout().toString());
  }

  @Test
  @Needs(Capability.METADATA)
  void open_otherEncoding_isPermanent() {
    String name = tested().freshName();
    tested().collection(name, pointLayout());
    Layout other =
        Layout.of(pointLayout().shape(), pointLayout().rule(), Layout.CURRENT_ENCODING + 1);
    assertPermanent(() -> store().open(name, other, Claim.ACTIVE));
  }

  @Test
  void errors_neverTellTheValue() {
    Bytes value = Bytes.utf8("a value nobody shall read");
    KvException error =
        Await.failure(
            () -> points().write(StoreKey.of(freshMain(), hex("01")), Mutation.put(value), call()));
    assertThat(error.toString()).doesNotContain("nobody").doesNotContain(value.toHex());
  }

  @Test
  void get_threadInterrupted_answersOrIsTransient_andStaysInterrupted() {
    CollectionApi api = CollectionApi.SYNC;
    Key key = Key.of(freshMain());
    points(api).put(key, hex("01"));
    Thread.currentThread().interrupt();
    try {
      assertThat(points(api).get(key)).isEqualTo(hex("01"));
    } catch (Transient e) {
      assertThat(e.getCause()).isInstanceOf(InterruptedException.class);
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
    assertThat(points(api).get(key)).isEqualTo(hex("01"));
  }

  @Test
  void put_threadInterrupted_succeedsOrIsUnknown_andStaysInterrupted() {
    Key key = Key.of(freshMain());
    Thread.currentThread().interrupt();
    try {
      points(CollectionApi.SYNC).put(key, hex("01"));
    } catch (UnknownOutcome e) {
      assertThat(e.getCause()).isInstanceOf(InterruptedException.class);
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
    Await.until(
        "the write is visible", () -> hex("01").equals(points(CollectionApi.SYNC).get(key)));
  }

  private Bytes put(CollectionApi api, Key key, Bytes value) {
    points(api).put(key, value);
    return value;
  }

  private Key delete(CollectionApi api, Key key) {
    points(api).delete(key);
    return key;
  }
}
