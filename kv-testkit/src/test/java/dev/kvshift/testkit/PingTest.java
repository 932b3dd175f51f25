package dev.kvshift.testkit;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.KvStore;
import dev.kvshift.api.KvException;
import dev.kvshift.memory.InMemory;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.spi.ForwardingStore;
import dev.kvshift.spi.Store;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

final class PingTest {
  private static final Duration LONG = Duration.ofSeconds(10);

  /** A store whose servers never answer. */
  private static final class Silent extends ForwardingStore {
    Silent(Store inner) {
      super(inner);
    }

    @Override
    public CompletionStage<Instant> serverTime() {
      return new CompletableFuture<>();
    }
  }

  @Test
  void ping_openStore_returns_closedStore_isPermanent() {
    KvStore store = InMemory.store("ping");
    store.ping(LONG);
    store.close();
    assertThatThrownBy(() -> store.ping(LONG)).isInstanceOf(KvException.Permanent.class);
  }

  @Test
  void ping_silentServers_isTransientOnceItsTimeIsUp() {
    try (KvStore store = KvStore.over(new Silent(MemoryStoreProvider.open("silent")))) {
      assertThatThrownBy(() -> store.ping(Duration.ofMillis(10)))
          .isInstanceOf(KvException.Transient.class)
          .hasMessage(
              "no server of memory://silent answered within 10 ms: try again, or see whether it is"
                  + " up");
    }
  }

  @Test
  void ping_timeOutOfRange_isRefused() {
    try (KvStore store = InMemory.store("ping")) {
      for (Duration wrong : new Duration[] {Duration.ZERO, Duration.ofSeconds(61)}) {
        assertThatThrownBy(() -> store.ping(wrong))
            .isInstanceOf(KvException.InvalidArgument.class)
            .hasMessageContaining("give 1 ms to 1 min");
      }
    }
  }
}
