package dev.kvshift.spi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.KvException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class FuturesTest {
  private final KvException error = new KvException.Transient("try again", new Exception("cause"));

  @Test
  void unwrap_wrappedManyTimes_isTheErrorItself() {
    assertThat(Futures.unwrap(error)).isSameAs(error);
    assertThat(Futures.unwrap(new CompletionException(new ExecutionException(error))))
        .isSameAs(error);
  }

  @Test
  void unwrap_wrapperOfNothing_isTheWrapper() {
    CompletionException empty = new CompletionException("nothing within", null);
    assertThat(Futures.unwrap(empty)).isSameAs(empty);
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, 0, 1})
  void after_anyDelay_completes(long nanos) {
    assertThat(Futures.after(Duration.ofNanos(nanos)).toCompletableFuture().join()).isNull();
  }

  @Test
  void start_thrownKvException_failsTheStage() {
    KvException thrown = new KvException.Permanent("refused");
    assertThat(
            Futures.<String>start(
                    () -> {
                      throw thrown;
                    })
                .toCompletableFuture())
        .isCompletedExceptionally()
        .failsWithin(Duration.ZERO)
        .withThrowableThat()
        .havingCause()
        .isSameAs(thrown);
  }

  @Test
  void start_stage_isReturnedAsItIs() {
    CompletableFuture<String> stage = new CompletableFuture<>();
    assertThat(Futures.start(() -> stage)).isSameAs(stage);
  }
}
