package dev.kvshift.testkit.fault;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvException.Permanent;
import dev.kvshift.api.KvException.Transient;
import dev.kvshift.api.KvException.UnknownOutcome;
import dev.kvshift.api.Layout;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.testkit.concurrent.Await;
import dev.kvshift.testkit.fault.FaultPlan.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

final class FaultInjectingStoreTest {
  private static final Bytes VALUE = Bytes.utf8("value");

  private final Store sound = MemoryStoreProvider.open("faults");
  private final StoreCollection truth = open(sound);
  private final StoreKey key = freshKey();

  @AfterEach
  void close() {
    sound.close();
  }

  @ParameterizedTest
  @EnumSource
  void write_everyFault_doesWhatItSays(Fault fault) {
    try (FaultInjectingStore store = faulty(request -> fault)) {
      StoreCollection collection = open(store);
      switch (fault) {
        case NONE, DELAY -> {
          long version = put(collection);
          assertThat(read(truth)).isEqualTo(Row.of(key, version, VALUE, null));
        }
        case TRANSIENT -> {
          Await.failure(Transient.class, () -> put(collection));
          assertThat(read(truth)).isNull();
        }
        case UNKNOWN_NOT_APPLIED, CRASH_BEFORE -> {
          Await.failure(UnknownOutcome.class, () -> put(collection));
          assertThat(read(truth)).isNull();
        }
        case UNKNOWN_APPLIED, CRASH_AFTER -> {
          Await.failure(UnknownOutcome.class, () -> put(collection));
          assertThat(value(read(truth))).isEqualTo(VALUE);
        }
        case UNKNOWN_LATE -> {
          Await.failure(UnknownOutcome.class, () -> put(collection));
          store.awaitLateWrites();
          assertThat(value(read(truth))).isEqualTo(VALUE);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void read_everyFault_isServedOrTransient(Fault fault) {
    put(truth);
    try (FaultInjectingStore store = faulty(request -> fault)) {
      StoreCollection collection = open(store);
      if (fault == Fault.NONE || fault == Fault.DELAY) {
        assertThat(value(read(collection))).isEqualTo(VALUE);
      } else {
        Await.failure(Transient.class, () -> collection.get(key, call()));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void crashAtWrite_thatWriteAndAllLaterRequests_fail(boolean applied) {
    try (FaultInjectingStore store = faulty(FaultPlan.crashAtWrite(3, applied))) {
      StoreCollection collection = open(store);
      put(collection);
      read(collection);
      put(collection);
      assertThat(store.hasCrashed()).isFalse();
      StoreKey third = freshKey();
      Await.failure(
          UnknownOutcome.class, () -> collection.write(third, Mutation.put(VALUE), call()));
      assertThat(store.hasCrashed()).isTrue();
      assertThat(store.writes()).isEqualTo(3);
      Await.failure(Permanent.class, () -> put(collection));
      Await.failure(Permanent.class, () -> collection.get(key, call()));
      Row row = Await.<@Nullable Row>join(truth.get(third, call()));
      assertThat(row != null).isEqualTo(applied);
    }
  }

  @Test
  void plan_requests_areNumberedAndNamed() {
    List<FaultPlan.Request> seen = new ArrayList<>();
    try (FaultInjectingStore store =
        faulty(
            request -> {
              seen.add(request);
              return Fault.NONE;
            })) {
      StoreCollection collection = open(store);
      put(collection);
      read(collection);
      put(collection);
    }
    assertThat(seen)
        .containsExactly(
            new FaultPlan.Request(1, 1, Kind.WRITE, "c", key),
            new FaultPlan.Request(2, 1, Kind.GET, "c", key),
            new FaultPlan.Request(3, 2, Kind.WRITE, "c", key));
  }

  @Test
  void seeded_sameSeed_givesTheSameFaults() {
    assertThat(endings(42)).isEqualTo(endings(42)).contains("ok", "Transient", "UnknownOutcome");
    assertThat(endings(42)).isNotEqualTo(endings(43));
  }

  private List<String> endings(long seed) {
    List<String> endings = new ArrayList<>();
    try (FaultInjectingStore store = faulty(FaultPlan.seeded(seed, 500))) {
      StoreCollection collection = open(store);
      for (int i = 0; i < 60; i++) {
        try {
          put(collection);
          endings.add("ok");
        } catch (KvException e) {
          endings.add(e.getClass().getSimpleName());
        }
      }
      store.awaitLateWrites();
    }
    return endings;
  }

  private static StoreKey freshKey() {
    return StoreKey.of(Bytes.utf8(UUID.randomUUID().toString()), Bytes.empty());
  }

  private static Call call() {
    return Call.within(Await.LONGEST);
  }

  private static FaultInjectingStore faulty(FaultPlan plan) {
    return FaultInjectingStore.around(MemoryStoreProvider.open("faults"), plan);
  }

  private static StoreCollection open(Store store) {
    return Await.join(store.open("c", Layout.point(), Claim.ACTIVE));
  }

  private long put(StoreCollection collection) {
    return Await.join(collection.write(key, Mutation.put(VALUE), call()));
  }

  private @Nullable Row read(StoreCollection collection) {
    return Await.<@Nullable Row>join(collection.get(key, call()));
  }

  private static @Nullable Bytes value(@Nullable Row row) {
    return row == null ? null : row.value();
  }
}
