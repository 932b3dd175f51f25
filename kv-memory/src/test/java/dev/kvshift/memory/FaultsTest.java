package dev.kvshift.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.Locks;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.ShardRule;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreProvider;
import dev.kvshift.spi.VersionClock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests that complete late and fail, when a test asks for it. */
final class FaultsTest {
  private static final Key KEY = Key.of(Bytes.utf8("key"), Bytes.utf8("c"));
  private static final Bytes VALUE = Bytes.utf8("value");
  private static final Layout LAYOUT = Layout.range(ShardRule.none());

  private static final StoreProvider.Context CONTEXT =
      new StoreProvider.Context() {
        @Override
        public Store open(ConnectionString nested) {
          throw new AssertionError("memory:// has no nested store");
        }

        @Override
        public VersionClock clock() {
          return VersionClock.ofProcess();
        }
      };

  /** Outcomes of a write, with what a faultless store of the same name then reads. */
  private enum Seen {
    WRITTEN,
    NOT_WRITTEN,
    UNKNOWN_WRITTEN,
    UNKNOWN_NOT_WRITTEN
  }

  @Test
  void put_everyRequestFails_errorsAreHonest() {
    Set<Seen> seen = EnumSet.noneOf(Seen.class);
    try (KvStore sound = InMemory.store("honest");
        KvStore faulty = InMemory.store("honest", MemoryOptions.defaults().withFaults(500, 1))) {
      KvCollection reader = sound.collection("c", LAYOUT);
      KvCollection writer = faulty.collection("c", LAYOUT);
      for (int i = 0; i < 100; i++) {
        Key key = Key.of(KEY.main(), Bytes.utf8("c" + i));
        try {
          writer.put(key, VALUE);
          assertThat(reader.get(key)).contains(VALUE);
          seen.add(Seen.WRITTEN);
        } catch (KvException.Transient e) {
          assertThat(reader.get(key)).isEmpty();
          seen.add(Seen.NOT_WRITTEN);
        } catch (KvException.UnknownOutcome e) {
          seen.add(reader.get(key).isPresent() ? Seen.UNKNOWN_WRITTEN : Seen.UNKNOWN_NOT_WRITTEN);
        }
      }
    }
    assertThat(seen).isEqualTo(EnumSet.allOf(Seen.class));
  }

  @Test
  void reads_everyRequestFails_areTransient() {
    try (KvStore faulty = InMemory.store("reads", MemoryOptions.defaults().withFaults(1_000, 1))) {
      KvCollection collection = faulty.collection("c", LAYOUT);
      assertThatThrownBy(() -> collection.get(KEY))
          .isExactlyInstanceOf(KvException.Transient.class);
      assertThatThrownBy(() -> collection.getRange(KEY.main(), Range.all(), PageLimit.entries(1)))
          .isExactlyInstanceOf(KvException.Transient.class);
    }
  }

  @Test
  void locks_everyRequestFails_areTransientOrUnknown() {
    Set<Class<?>> kinds = new HashSet<>();
    try (KvStore faulty = InMemory.store("locks", MemoryOptions.defaults().withFaults(1_000, 1))) {
      Locks locks = faulty.locks("space");
      for (int i = 0; i < 20; i++) {
        kinds.add(
            catchThrowable(() -> locks.tryLockAll(Set.of(VALUE), Duration.ofSeconds(1)))
                .getClass());
      }
    }
    assertThat(kinds)
        .containsExactlyInAnyOrder(KvException.Transient.class, KvException.UnknownOutcome.class);
  }

  @Test
  void faults_sameSeed_areTheSame() {
    assertThat(outcomes("first", 7)).isEqualTo(outcomes("second", 7));
    assertThat(outcomes("first", 7)).isNotEqualTo(outcomes("second", 8));
  }

  @Test
  void get_withAnExecutor_completesWhenTheExecutorRuns() {
    Queue<Runnable> tasks = new ArrayDeque<>();
    AtomicBoolean holding = new AtomicBoolean();
    Executor executor =
        task -> {
          if (holding.get()) {
            tasks.add(task);
          } else {
            task.run();
          }
        };
    try (KvStore late = InMemory.store("late", MemoryOptions.defaults().withExecutor(executor))) {
      KvCollection collection = late.collection("c", LAYOUT);
      holding.set(true);
      CompletableFuture<Optional<Bytes>> value = collection.async().get(KEY).toCompletableFuture();
      assertThat(value).isNotDone();
      tasks.remove().run();
      assertThat(value.join()).isEmpty();
    }
  }

  @Test
  void string_asyncWithFaults_opensSuchAStore() {
    ConnectionString string =
        ConnectionString.parse("memory://asked?async=true&faults=1000&seed=3");
    try (KvStore store = KvStore.over(new MemoryStoreProvider().open(string, CONTEXT))) {
      KvCollection collection = store.collection("c", LAYOUT);
      assertThatThrownBy(() -> collection.get(KEY))
          .isExactlyInstanceOf(KvException.Transient.class);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"async=yes", "faults=1001", "faults=-1", "faults=x", "seed=-1"})
  void string_wrongParameter_isRefused(String parameter) {
    ConnectionString string = ConnectionString.parse("memory://wrong?" + parameter);
    assertThatThrownBy(() -> new MemoryStoreProvider().open(string, CONTEXT))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining(parameter);
  }

  private static List<String> outcomes(String name, long seed) {
    List<String> outcomes = new ArrayList<>();
    try (KvStore store = InMemory.store(name, MemoryOptions.defaults().withFaults(300, seed))) {
      KvCollection collection = store.collection("c", LAYOUT);
      for (int i = 0; i < 50; i++) {
        try {
          collection.put(KEY, VALUE);
          outcomes.add("written");
        } catch (KvException e) {
          outcomes.add(e.getMessage());
        }
      }
    }
    return outcomes;
  }
}
