package dev.kvshift.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Outcome;
import dev.kvshift.api.ReadOptions;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.memory.InjectedFaults.Fault;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Faults and times that the unit test of a service chooses. */
final class InjectedFaultsTest {
  private static final Key KEY = Key.of(Bytes.utf8("key"));
  private static final Bytes VALUE = Bytes.utf8("value");

  private final InjectedFaults faults = new InjectedFaults();
  private final MovableClock clock = new MovableClock();
  private final KvStore store =
      InMemory.store(
          "injected",
          MemoryOptions.defaults().withFaults(faults).withClock(clock).withFaults(0, 0));
  private final KvCollection collection = store.collection("c", Layout.point());

  @AfterEach
  void close() {
    store.close();
  }

  @ParameterizedTest
  @CsvSource({
    "UNREACHABLE, Transient, false",
    "OVERLOADED, Overloaded, false",
    "REQUEST_LOST, UnknownOutcome, false",
    "ANSWER_LOST, UnknownOutcome, true"
  })
  void put_nextFails_failsOnceAsChosen(Fault fault, String kind, boolean isApplied) {
    faults.failNext(1, fault);

    Throwable error = catchThrowable(() -> collection.put(KEY, VALUE));

    assertThat(error.getClass().getSimpleName()).isEqualTo(kind);
    assertThat(collection.get(KEY)).isEqualTo(isApplied ? Optional.of(VALUE) : Optional.empty());
    collection.put(KEY, VALUE);
    assertThat(collection.get(KEY)).contains(VALUE);
  }

  @ParameterizedTest
  @CsvSource({
    "UNREACHABLE, Transient",
    "OVERLOADED, Overloaded",
    "REQUEST_LOST, Transient",
    "ANSWER_LOST, Transient"
  })
  void getAndPing_allFail_untilHealed(Fault fault, String kind) {
    faults.failAll(fault);

    for (int i = 0; i < 3; i++) {
      assertThat(catchThrowable(() -> collection.get(KEY)).getClass().getSimpleName())
          .isEqualTo(kind);
      assertThatThrownBy(() -> store.ping(Duration.ofSeconds(1)))
          .isInstanceOf(KvException.Transient.class);
    }

    faults.heal();
    assertThat(collection.get(KEY)).isEmpty();
    store.ping(Duration.ofSeconds(1));
  }

  @Test
  void failNext_several_failsThatMany() {
    faults.failNext(2, Fault.UNREACHABLE);

    List<Key> keys = List.of(KEY, Key.of(Bytes.utf8("b")), Key.of(Bytes.utf8("c")));

    assertThat(collection.getAll(keys).values())
        .filteredOn(outcome -> outcome instanceof Outcome.Failed<?>)
        .hasSize(2);
    assertThatThrownBy(() -> faults.failNext(0, Fault.UNREACHABLE))
        .isExactlyInstanceOf(KvException.InvalidArgument.class);
  }

  @Test
  void requests_held_completeWhenReleasedInOrder() {
    faults.hold();
    CompletableFuture<@Nullable Void> written = future(collection.async().put(KEY, VALUE));
    CompletableFuture<Optional<Bytes>> read = future(collection.async().get(KEY));
    assertThat(faults.held()).isEqualTo(2);
    assertThat(written).isNotDone();
    assertThat(read).isNotDone();

    faults.release();

    written.join();
    assertThat(read.join()).contains(VALUE);
    assertThat(faults.held()).isZero();
    assertThat(collection.get(KEY)).contains(VALUE);
  }

  @Test
  void requests_heldPastTheirDeadline_endAndAreNotApplied() {
    Duration timeout = Duration.ofMillis(20);
    faults.hold();

    assertThatThrownBy(() -> collection.put(KEY, VALUE, WriteOptions.timeout(timeout)))
        .isExactlyInstanceOf(KvException.UnknownOutcome.class);
    assertThatThrownBy(() -> collection.get(KEY, ReadOptions.timeout(timeout)))
        .isExactlyInstanceOf(KvException.Transient.class);

    faults.release();
    assertThat(collection.get(KEY)).isEmpty();
  }

  @Test
  void clock_moved_expiresEntriesAndLeases() {
    Duration hour = Duration.ofHours(1);
    collection.put(KEY, VALUE, WriteOptions.ttl(hour));
    assertThat(store.locks("space").tryLockAll(Set.of(VALUE), hour).acquired()).hasSize(1);
    clock.advance(hour.minusSeconds(30));
    assertThat(collection.get(KEY)).contains(VALUE);
    assertThat(store.locks("space").tryLockAll(Set.of(VALUE), hour).acquired()).isEmpty();

    clock.advance(Duration.ofSeconds(30));

    assertThat(collection.get(KEY)).isEmpty();
    assertThat(store.locks("space").tryLockAll(Set.of(VALUE), hour).acquired()).hasSize(1);
    assertThatThrownBy(() -> clock.advance(Duration.ofSeconds(-1)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static <T extends @Nullable Object> CompletableFuture<T> future(
      CompletionStage<T> stage) {
    return stage.toCompletableFuture();
  }
}
