package dev.kvshift.spring;

import dev.kvshift.KvStore;
import java.time.Duration;
import org.springframework.boot.health.contributor.AbstractHealthIndicator;
import org.springframework.boot.health.contributor.Health;

/**
 * The health of a store: up if a server answers in time. Belongs into readiness and never into
 * liveness, since a restart does not heal a database. Safe for use by many threads.
 */
final class StoreHealth extends AbstractHealthIndicator {
  private final KvStore store;
  private final Duration timeout;

  StoreHealth(KvStore store, Duration timeout) {
    this.store = store;
    this.timeout = timeout;
  }

  @Override
  protected void doHealthCheck(Health.Builder builder) {
    builder.withDetail("store", store.toString());
    store.ping(timeout);
    builder.up();
  }
}
