package dev.kvshift.migrate.internal.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.spi.Metadata;
import dev.kvshift.spi.Store;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Queue;
import java.util.SortedMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The ledger over metadata that answer late, and whose changes fail as a test says. */
final class LedgerTest {
  private static final LedgerKey<CopyPlan> KEY = CopyPlan.KEY;
  private static final LedgerKey<QuarantinedKey> REJECTED = QuarantinedKey.ALL.in("61ae");

  private final Store store = MemoryStoreProvider.open(UUID.randomUUID().toString());
  private final FailingMetadata metadata = new FailingMetadata(store.metadata());
  private final Ledger ledger = ledger(Duration.ofSeconds(30));

  private enum Failure {
    NOT_SENT,
    UNKNOWN_AND_APPLIED,
    UNKNOWN_AND_LOST
  }

  @AfterEach
  void close() {
    store.close();
  }

  @Test
  void remove_recordThatWasJudged_isRemoved() {
    ledger.put(REJECTED, rejected(1));

    assertThat(ledger.remove(REJECTED, rejected(1))).isTrue();

    assertThat(ledger.get(REJECTED)).isNull();
  }

  @Test
  void remove_recordThatChangedSince_stays() {
    ledger.put(REJECTED, rejected(1));
    ledger.put(REJECTED, rejected(2));

    assertThat(ledger.remove(REJECTED, rejected(1))).isFalse();

    assertThat(ledger.get(REJECTED)).isEqualTo(rejected(2));
  }

  @Test
  void remove_noRecord_removesNothing() {
    assertThat(ledger.remove(REJECTED, rejected(1))).isFalse();
  }

  @Test
  void remove_outcomesUnknown_isRemoved() {
    for (Failure failure : Failure.values()) {
      ledger.put(REJECTED, rejected(1));
      metadata.failures.add(failure);

      assertThat(ledger.remove(REJECTED, rejected(1))).as("%s", failure).isTrue();

      assertThat(ledger.get(REJECTED)).as("%s", failure).isNull();
    }
  }

  @Test
  void update_storeFailsForAWhile_isAppliedOnce() {
    List<Failure> failures = new ArrayList<>();
    for (Failure last : Failure.values()) {
      failures.add(Failure.NOT_SENT);
      failures.add(Failure.UNKNOWN_AND_LOST);
      failures.add(last);
      ledger.put(KEY, new CopyPlan(1));
      metadata.failures.addAll(failures);

      ledger.update(KEY, plan -> new CopyPlan(plan.tasks() + 1));

      assertThat(metadata.failures).isEmpty();
      assertThat(ledger.require(KEY)).as("%s", failures).isEqualTo(new CopyPlan(2));
    }
  }

  @Test
  void append_outcomeUnknown_isAppendedOnce() {
    for (Failure failure : Failure.values()) {
      metadata.failures.add(failure);
      ledger.append(Event.lifted("a", "" + failure));
    }

    List<Event> events = new ArrayList<>();
    ledger.forEach(Event.ALL, (name, event) -> events.add(event));

    assertThat(events).hasSize(Failure.values().length);
  }

  @Test
  void put_patienceExhausted_throwsTheFailure() {
    Ledger impatient = ledger(Duration.ofMillis(1));
    metadata.failures.addAll(Collections.nCopies(1_000, Failure.NOT_SENT));

    assertThatThrownBy(() -> impatient.put(KEY, new CopyPlan(1)))
        .isExactlyInstanceOf(KvException.Transient.class)
        .hasMessage("not sent");
  }

  @Test
  void forEach_moreThanAPage_passesOnAllInOrder() {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < 1_001; i++) {
      String name = String.format("%05d", i);
      names.add(name);
      ledger.put(QuarantinedKey.ALL.in(name), rejected(i));
    }
    ledger.put(KEY, new CopyPlan(1));

    List<String> found = new ArrayList<>();
    ledger.forEach(QuarantinedKey.ALL, (name, key) -> found.add(name));

    assertThat(found).isEqualTo(names);
  }

  private static QuarantinedKey rejected(long version) {
    return new QuarantinedKey(version, "too large", version, Bytes.utf8("key"), 0);
  }

  private Ledger ledger(Duration patience) {
    return new Ledger(metadata, "files", patience, Clock.systemUTC());
  }

  /** Answers later, on another thread; each change takes the next failure, if there is one. */
  private static final class FailingMetadata implements Metadata {
    private static final Executor LATER =
        CompletableFuture.delayedExecutor(10, TimeUnit.MICROSECONDS);

    final Queue<Failure> failures = new ConcurrentLinkedQueue<>();
    private final Metadata real;

    FailingMetadata(Metadata real) {
      this.real = real;
    }

    @Override
    public CompletionStage<@Nullable Bytes> get(String name) {
      return CompletableFuture.supplyAsync(() -> Await.of(real.get(name)), LATER);
    }

    @Override
    public CompletionStage<SortedMap<String, Bytes>> list(String prefix, String after, int limit) {
      return CompletableFuture.supplyAsync(() -> Await.of(real.list(prefix, after, limit)), LATER);
    }

    @Override
    public CompletionStage<Boolean> compareAndSet(
        String name, @Nullable Bytes expected, @Nullable Bytes next) {
      return CompletableFuture.supplyAsync(
          () -> {
            Failure failure = failures.poll();
            if (failure == Failure.NOT_SENT) {
              throw new KvException.Transient("not sent");
            }
            boolean set =
                failure != Failure.UNKNOWN_AND_LOST
                    && Await.of(real.compareAndSet(name, expected, next));
            if (failure != null) {
              throw new KvException.UnknownOutcome("no answer");
            }
            return set;
          },
          LATER);
    }
  }
}
