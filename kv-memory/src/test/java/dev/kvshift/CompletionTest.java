package dev.kvshift;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvObserver;
import dev.kvshift.api.KvObserver.Event;
import dev.kvshift.api.Lock;
import dev.kvshift.api.LockResult;
import dev.kvshift.api.StoreOptions;
import dev.kvshift.memory.InMemory;
import dev.kvshift.spi.Row;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The threads on which operations complete, and blocking calls on them. */
@Timeout(60)
final class CompletionTest {
  private static final Key ONE = Key.of(Bytes.utf8("one"));
  private static final Key TWO = Key.of(Bytes.utf8("two"));
  private static final Bytes VALUE = Bytes.utf8("value");
  private static final Duration LEASE = Duration.ofMinutes(1);

  private final ScriptedCollection script = new ScriptedCollection();
  private final ExecutorService driver = oneThread("driver");
  private final ExecutorService callbacks = oneThread("callbacks");

  @AfterEach
  void close() {
    driver.shutdownNow();
    callbacks.shutdownNow();
  }

  @Test
  void stage_answerOnTheDriversThread_completesOnTheExecutor() {
    CompletableFuture<@Nullable Row> answer = new CompletableFuture<>();
    script.get = () -> answer;
    CompletableFuture<String> thread =
        script
            .view(StoreOptions.defaults().withExecutor(callbacks))
            .async()
            .get(ONE)
            .thenApply(value -> Thread.currentThread().getName())
            .toCompletableFuture();
    driver.execute(() -> answer.complete(null));
    assertThat(thread.join()).isEqualTo("callbacks");
  }

  @Test
  void blockingCall_inAnActionOnTheExecutorsOnlyThread_works() {
    CompletableFuture<@Nullable Row> first = new CompletableFuture<>();
    script.get = () -> first;
    KvCollection collection = script.view(StoreOptions.defaults().withExecutor(callbacks));
    CompletableFuture<Optional<Bytes>> second =
        collection.async().get(ONE).thenApply(value -> collection.get(TWO)).toCompletableFuture();
    script.get = () -> CompletableFuture.supplyAsync(() -> null, driver);
    driver.execute(() -> first.complete(null));
    assertThat(second.join()).isEmpty();
  }

  @Test
  void blockingCall_onTheDriversThread_isRefusedUnsent() {
    CompletableFuture<@Nullable Row> first = new CompletableFuture<>();
    script.get = () -> first;
    KvCollection collection = script.view(StoreOptions.defaults().withExecutor(Runnable::run));
    CompletableFuture<Void> second =
        collection
            .async()
            .get(ONE)
            .thenAccept(value -> collection.put(TWO, VALUE))
            .toCompletableFuture();
    driver.execute(() -> first.complete(null));
    assertThatThrownBy(second::join)
        .cause()
        .isExactlyInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("call async()");
    assertThat(script.calls).hasSize(1);
  }

  @Test
  void stage_executorRejectsTheCompletion_endsAllTheSame() {
    CompletableFuture<@Nullable Row> answer = new CompletableFuture<>();
    script.get = () -> answer;
    KvCollection collection =
        script.view(
            StoreOptions.defaults()
                .withExecutor(
                    task -> {
                      throw new RejectedExecutionException("shut down");
                    }));
    CompletableFuture<Optional<Bytes>> stage = collection.async().get(ONE).toCompletableFuture();
    answer.complete(null);
    assertThat(stage.join()).isEmpty();
  }

  @Test
  void locks_withoutWaiting_areAcquiredRenewedAndReleased() {
    try (KvStore store = InMemory.store("locks without waiting")) {
      Locks.Async locks = store.locks("space").async();
      Bytes key = ONE.main();
      LockResult first = locks.tryLockAll(Set.of(key), LEASE).toCompletableFuture().join();
      Lock lock = first.acquired().iterator().next();
      assertThat(locks.tryLockAll(Set.of(key), LEASE).toCompletableFuture().join().acquired())
          .isEmpty();
      assertThat(locks.renew(lock, LEASE).toCompletableFuture().join().token())
          .isEqualTo(lock.token());
      locks.release(lock).toCompletableFuture().join();
      AtomicReference<Throwable> error = new AtomicReference<>();
      locks.renew(lock, LEASE).whenComplete((renewed, thrown) -> error.set(thrown));
      assertThat(error.get()).isExactlyInstanceOf(KvException.Permanent.class);
    }
  }

  @Test
  void observer_failingWrite_hearsBeginningAndError() {
    List<String> seen = new ArrayList<>();
    KvException busy = new KvException.Overloaded("busy");
    KvObserver observer =
        start -> {
          seen.add(start + " on " + Thread.currentThread().getName());
          return end ->
              seen.add(
                  end.result() + " on " + Thread.currentThread().getName() + ": " + end.error());
        };
    CompletableFuture<Long> answer = new CompletableFuture<>();
    script.write = () -> answer;
    CompletableFuture<@Nullable Void> stage =
        script.view(observer).async().put(ONE, VALUE).toCompletableFuture();
    String caller = Thread.currentThread().getName();
    assertThat(seen).containsExactly("Start[operation=PUT, collection=scripted] on " + caller);
    driver.execute(() -> answer.completeExceptionally(busy));
    assertThatThrownBy(stage::join).hasCause(busy);
    assertThat(seen).hasSize(2).element(1).isEqualTo("OVERLOADED on driver: " + busy);
  }

  @Test
  void observer_ofManyKeys_beginsAllOfThemBeforeTheFirstIsSent() {
    List<Integer> sentAtBegin = new ArrayList<>();
    script.get = () -> CompletableFuture.completedFuture(null);
    KvObserver observer =
        start -> {
          sentAtBegin.add(script.calls.size());
          return end -> {};
        };
    script.view(observer).getAll(List.of(ONE, TWO));
    assertThat(sentAtBegin).containsExactly(0, 0);
  }

  @Test
  void observer_writeThatFailsAtAFence_hearsTheEvent() {
    List<Event> events = new ArrayList<>();
    KvException.CollectionFenced fenced =
        new KvException.CollectionFenced("scripted", Duration.ofSeconds(3));
    script.write = () -> CompletableFuture.failedFuture(fenced);
    KvObserver observer =
        new KvObserver() {
          @Override
          public Ending begin(Start start) {
            return end -> {};
          }

          @Override
          public void happened(Event event) {
            events.add(event);
          }
        };
    assertThatThrownBy(() -> script.view(observer).put(ONE, VALUE)).isSameAs(fenced);
    assertThat(events)
        .extracting(Event::kind, Event::store, Event::collection, Event::duration, Event::error)
        .containsExactly(
            tuple(Event.Kind.FENCE, "scripted://", "scripted", Duration.ofSeconds(3), fenced));
  }

  @Test
  void observer_throwsAtTheBeginning_theOperationSucceeds() {
    script.get = () -> CompletableFuture.completedFuture(null);
    AtomicReference<Throwable> uncaught = new AtomicReference<>();
    Thread.currentThread().setUncaughtExceptionHandler((thread, error) -> uncaught.set(error));
    RuntimeException bug = new IllegalStateException("a bug of the observer");
    KvObserver observer =
        start -> {
          throw bug;
        };
    try {
      assertThat(script.view(observer).get(ONE)).isEmpty();
    } finally {
      Thread.currentThread().setUncaughtExceptionHandler(null);
    }
    assertThat(uncaught.get()).isSameAs(bug);
  }

  private static ExecutorService oneThread(String name) {
    return Executors.newSingleThreadExecutor(
        task -> {
          Thread thread = new Thread(task, name);
          thread.setDaemon(true);
          return thread;
        });
  }
}
