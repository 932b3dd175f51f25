package dev.kvshift.transition;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvObserver;
import dev.kvshift.api.Layout;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.ForwardingCollection;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreClock;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import dev.kvshift.testkit.concurrent.Await;
import dev.kvshift.testkit.fixture.TestCopy;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The age of a write to the new side, exact at its bound, by the monotonic and the wall clock. */
final class NewWritesTest {
  private static final StoreKey KEY = StoreKey.of(Bytes.utf8("key"), Bytes.empty());
  private static final Mutation PUT = Mutation.put(Bytes.utf8("value")).withVersion(7L);

  private long nanos = 1;
  private long wallMillis = 1;
  private final Store store = MemoryStoreProvider.open("new-writes");
  private final StoreCollection collection =
      Await.join(store.open("items", Layout.point(), Claim.ACTIVE));
  private final CompletableFuture<CopyView.Opened> opening = new CompletableFuture<>();
  private final Events events = new Events(KvObserver.NONE, "transition://test");
  private final NewSide newSide =
      new NewSide(
          "items",
          (copy, floor, known) -> opening,
          StoreClock.of(VersionClock.ofProcess(), store, StoreClock.Listener.NONE),
          events,
          TestCopy.COPY);
  private final NewWrites writes =
      new NewWrites("items", newSide, () -> new Lease.Moment(nanos, wallMillis));

  @AfterEach
  void close() {
    store.close();
  }

  private CompletionStage<Long> begun() {
    return writes.write(0, KEY, PUT, Call.within(Await.LONGEST));
  }

  private void openNewSide() {
    opening.complete(new CopyView.Opened(collection, true));
  }

  /** Opens a new side whose first write ends as a test says. */
  private void openAnswering(CompletionStage<Long> first, AtomicInteger sent) {
    opening.complete(
        new CopyView.Opened(
            new ForwardingCollection(collection) {
              @Override
              public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
                return sent.incrementAndGet() == 1 ? first : super.write(key, mutation, call);
              }
            },
            true));
  }

  private boolean isWritten() {
    return Await.join(collection.get(KEY, Call.within(Await.LONGEST))) != null;
  }

  @Test
  void write_30SecondsOld_isSent() {
    CompletionStage<Long> write = begun();
    nanos += NewWrites.OLDEST.toNanos();
    wallMillis += NewWrites.OLDEST.toMillis();
    openNewSide();

    assertThat(Await.join(write)).isEqualTo(7);
    assertThat(isWritten()).isTrue();
  }

  @Test
  void write_olderByTheMonotonicClock_isNotSent() {
    CompletionStage<Long> write = begun();
    nanos += NewWrites.OLDEST.toNanos() + 1;
    openNewSide();

    assertTooOld(write);
  }

  @Test
  void write_olderByTheWallClock_isNotSent() {
    CompletionStage<Long> write = begun();
    wallMillis += NewWrites.OLDEST.plus(Duration.ofMillis(1)).toMillis();
    openNewSide();

    assertTooOld(write);
  }

  @Test
  void write_wallClockSetBack_isNotSent() {
    CompletionStage<Long> write = begun();
    wallMillis -= TimeUnit.DAYS.toMillis(1);
    openNewSide();

    assertTooOld(write);
  }

  @Test
  void write_failedAndOld_isNotRepeated() {
    CompletableFuture<Long> answer = new CompletableFuture<>();
    AtomicInteger sent = new AtomicInteger();
    openAnswering(answer, sent);
    CompletionStage<Long> write = begun();
    Await.until("the write was sent", () -> sent.get() == 1);
    wallMillis += NewWrites.OLDEST.plus(Duration.ofMillis(1)).toMillis();
    answer.completeExceptionally(new KvException.Transient("down"));

    assertThatThrownBy(() -> Await.join(write)).isExactlyInstanceOf(KvException.Transient.class);
    assertThat(sent).hasValue(1);
  }

  @ParameterizedTest
  @CsvSource({"0, 2", "29, 2", "31, 1"})
  void writeDrawn_firstAttemptFails_isRepeatedUpTo30SecondsAfterItsVersion(
      long ageSeconds, int attempts) {
    AtomicInteger sent = new AtomicInteger();
    openAnswering(CompletableFuture.failedFuture(new KvException.Transient("down")), sent);
    Await.join(newSide.store(0, Call.within(Await.LONGEST)));
    Instant drawn = Instant.now().minusSeconds(ageSeconds);
    long version = VersionClock.micros(drawn);

    CompletionStage<Long> write =
        writes.writeDrawn(0, KEY, PUT.withVersion(version), Call.within(Await.LONGEST));

    if (attempts == 1) {
      assertThatThrownBy(() -> Await.join(write)).isExactlyInstanceOf(KvException.Transient.class);
    } else {
      assertThat(Await.join(write)).isEqualTo(version);
    }
    assertThat(sent).hasValue(attempts);
  }

  private void assertTooOld(CompletionStage<Long> write) {
    assertThatThrownBy(() -> Await.join(write))
        .isExactlyInstanceOf(KvException.Transient.class)
        .hasMessageContaining("a write older than 30 s was not sent");
    assertThat(isWritten()).isFalse();
  }
}
