package dev.kvshift.memory;

import static dev.kvshift.memory.Stages.join;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ChangeSource.Window;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.StoreProvider;
import dev.kvshift.spi.VersionClock;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ServiceLoader;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The horizons of the in-memory store, and the strings that it refuses to open. */
final class RetentionTest {
  private static final Copy COPY = Copy.parse("0123456789abcdef0123456789abcdef@test");

  private final AtomicReference<Instant> now =
      new AtomicReference<>(Instant.parse("2026-11-20T10:00:00Z"));
  private final Clock clock =
      new Clock() {
        @Override
        public ZoneId getZone() {
          return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
          return this;
        }

        @Override
        public Instant instant() {
          return now.get();
        }
      };
  private final MemoryOptions options =
      MemoryOptions.defaults().withClock(clock).withPurgeAfter(Duration.ofHours(1));

  @Test
  void tombstone_olderThanTheHorizon_isForgottenAndOlderWritesRefused() {
    try (Store store = MemoryStoreProvider.open("purge", options)) {
      StoreCollection c = join(store.open("c", Layout.point(), Claim.ACTIVE));
      StoreKey key = key(1);
      long put = join(c.write(key, Mutation.put(Bytes.utf8("v")), call()));
      long deleted = join(c.write(key, Mutation.delete(), call()));
      now.updateAndGet(instant -> instant.plus(Duration.ofMinutes(59)));
      work(c);
      assertThat(get(c, key)).isEqualTo(Row.tombstone(key, deleted));
      now.updateAndGet(instant -> instant.plus(Duration.ofMinutes(2)));
      work(c);
      assertThat(get(c, key)).isNull();
      assertThatThrownBy(
              () -> join(c.write(key, Mutation.put(Bytes.utf8("v")).withVersion(put), call())))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("purge horizon");
      long later = deleted + 1;
      join(c.write(key, Mutation.put(Bytes.utf8("w")).withVersion(later), call()));
      assertThat(get(c, key)).isEqualTo(Row.of(key, later, Bytes.utf8("w"), null));
    }
  }

  @Test
  void expiredRow_olderThanTheHorizon_isForgotten() {
    try (Store store = MemoryStoreProvider.open("purge-expired", options)) {
      StoreCollection c = join(store.open("c", Layout.point(), Claim.ACTIVE));
      StoreKey key = key(1);
      Instant expiry = now.get().plus(Duration.ofMinutes(10));
      Mutation mutation = Mutation.put(Bytes.utf8("v")).withExpiry(expiry);
      long version = join(c.write(key, mutation, call()));
      now.updateAndGet(instant -> instant.plus(Duration.ofMinutes(69)));
      work(c);
      assertThat(get(c, key)).isEqualTo(Row.tombstone(key, version));
      now.updateAndGet(instant -> instant.plus(Duration.ofMinutes(2)));
      work(c);
      assertThat(get(c, key)).isNull();
    }
  }

  @Test
  void importing_oldTombstones_areKept() {
    try (Store store = MemoryStoreProvider.open("purge-import", options)) {
      StoreCollection c = join(store.open("c", Layout.point(), Claim.importing(COPY)));
      long old = VersionClock.micros(now.get().minus(Duration.ofDays(300)));
      for (int i = 0; i < 50; i++) {
        join(c.write(key(i), Mutation.delete().withVersion(old), call()));
      }
      for (int i = 0; i < 50; i++) {
        assertThat(get(c, key(i))).isEqualTo(Row.tombstone(key(i), old));
      }
    }
  }

  @Test
  void changes_moreThanRetained_nameTheOldest() {
    try (Store store = MemoryStoreProvider.open("retained")) {
      StoreCollection c = join(store.open("c", Layout.point(), Claim.ACTIVE));
      for (int i = 0; i < ChangeLog.RETAINED + 5; i++) {
        join(c.write(key(1), Mutation.delete(), call()));
      }
      assertThat(join(c.changes().window())).isEqualTo(Window.of(6, ChangeLog.RETAINED + 5));
      assertThatThrownBy(() -> join(c.changes().read(4, 100, Duration.ZERO)))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("the oldest is 6");
      assertThat(join(c.changes().read(5, 1, Duration.ZERO)).position()).isEqualTo(6);
    }
  }

  @Test
  void fence_waitingRoomFull_refusesFurtherWriters() {
    try (Store store = MemoryStoreProvider.open("room")) {
      StoreCollection c = join(store.open("c", Layout.point(), Claim.ACTIVE));
      join(c.gate().fence("a", FenceOptions.lasting(Duration.ofSeconds(60))));
      for (int i = 0; i < Table.WAITING_ROOM; i++) {
        assertThat(c.write(key(i), Mutation.delete(), call()).toCompletableFuture()).isNotDone();
      }
      assertThatThrownBy(() -> join(c.write(key(0), Mutation.delete(), call())))
          .isInstanceOf(KvException.CollectionFenced.class);
    }
  }

  @Test
  void serviceLoader_findsTheProvider() {
    assertThat(ServiceLoader.load(StoreProvider.class))
        .extracting(StoreProvider::scheme)
        .containsExactly("memory");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "memory://",
        "memory://a:1",
        "memory://a,b",
        "memory://a/p",
        "memory:///p",
        "memory://u@a",
        "memory://a?x=1"
      })
  void open_anythingButAName_isPermanent(String text) {
    StoreProvider provider = new MemoryStoreProvider();
    assertThatThrownBy(() -> provider.open(ConnectionString.parse(text), new NoContext()))
        .isInstanceOf(KvException.Permanent.class);
  }

  @Test
  void open_connectionString_sharesDataWithTheName() {
    StoreProvider provider = new MemoryStoreProvider();
    try (Store one = MemoryStoreProvider.open("by-string");
        Store two = provider.open(ConnectionString.parse("memory://by-string"), new NoContext())) {
      assertThat(two.description()).isEqualTo("memory://by-string");
      StoreCollection there = join(one.open("c", Layout.point(), Claim.ACTIVE));
      long version = join(there.write(key(1), Mutation.put(Bytes.utf8("v")), call()));
      StoreCollection here = join(two.open("c", Layout.point(), Claim.ACTIVE));
      assertThat(get(here, key(1))).isEqualTo(Row.of(key(1), version, Bytes.utf8("v"), null));
    }
  }

  private record NoContext() implements StoreProvider.Context {
    @Override
    public Store open(ConnectionString nested) {
      throw new AssertionError("memory opens no other store");
    }

    @Override
    public VersionClock clock() {
      return VersionClock.ofProcess();
    }
  }

  /** Writes enough for every row to have been looked at. */
  private static void work(StoreCollection collection) {
    for (int i = 0; i < 10; i++) {
      join(collection.write(key(99), Mutation.put(Bytes.utf8("w")), call()));
    }
  }

  private static @Nullable Row get(StoreCollection collection, StoreKey key) {
    return Stages.<@Nullable Row>join(collection.get(key, call()));
  }

  private static StoreKey key(int number) {
    return StoreKey.of(Bytes.utf8("key " + number), Bytes.empty());
  }

  private static Call call() {
    return Call.within(Duration.ofSeconds(60));
  }
}
