package dev.kvshift.transition;

import dev.failsafe.CircuitBreaker;
import java.time.Duration;

/**
 * Sends reads to the old side while the new one is failing, in phase new-read: a circuit breaker
 * that opens when half of the last reads have failed, lets a few through a second later, and closes
 * when they succeed. Safe for use by many threads.
 */
final class FailOver {
  private static final int FAILURES = 10;
  private static final int OUT_OF = 20;
  private static final int SUCCESSES = 3;
  private static final Duration PAUSE = Duration.ofSeconds(1);

  private final CircuitBreaker<Object> breaker;

  FailOver(String collection, Events events) {
    this.breaker =
        CircuitBreaker.builder()
            .withFailureThreshold(FAILURES, OUT_OF)
            .withSuccessThreshold(SUCCESSES)
            .withDelay(PAUSE)
            .onOpen(event -> events.failedOver(collection, Events.OLD))
            .onClose(event -> events.failedOver(collection, Events.NEW))
            .build();
  }

  /** Returns whether to read from the new side; if so, the read's end must be reported. */
  boolean isNewAllowed() {
    return breaker.tryAcquirePermit();
  }

  void succeeded() {
    breaker.recordSuccess();
  }

  void failed() {
    breaker.recordFailure();
  }
}
