package dev.kvshift.spring;

import dev.kvshift.KvStore;
import dev.kvshift.api.KvObserver;
import dev.kvshift.api.StoreOptions;
import dev.kvshift.model.MicrometerObservations;
import dev.kvshift.model.MicrometerObserver;
import dev.kvshift.model.Stores;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.observation.ObservationRegistry;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.health.autoconfigure.contributor.ConditionalOnEnabledHealthIndicator;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;

/**
 * Configures a service's store from the properties that begin with {@code kvshift}: the {@link
 * KvStore}, its collections, its health and its metrics. A bean of the service replaces each of
 * them.
 *
 * <p>The context closes the store after the beans that use it. A web server that shuts down
 * gracefully has answered its requests before that. Public, so that a service can exclude it.
 */
@AutoConfiguration(
    afterName = {
      "org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration",
      "org.springframework.boot.micrometer.observation.autoconfigure.ObservationAutoConfiguration"
    })
@EnableConfigurationProperties(KvshiftProperties.class)
@Import(CollectionBeans.class)
public final class KvshiftAutoConfiguration {
  @Bean
  @ConditionalOnMissingBean
  KvStore kvStore(
      KvshiftProperties properties,
      ObjectProvider<StoreOptions> options,
      ObjectProvider<KvObserver> observer) {
    String url = properties.url();
    if (url == null || url.isBlank()) {
      throw new IllegalStateException(
          "the property kvshift.url is not set: give a connection string, such as memory://test");
    }
    StoreOptions given = options.getIfAvailable(StoreOptions::defaults);
    KvObserver found = observer.getIfAvailable();
    return Stores.connect(url, found == null ? given : given.withObserver(found));
  }

  /**
   * Metrics by observations would have the names of the direct ones, and other tags, which
   * Prometheus refuses: so it is one or the other.
   */
  @Configuration(proxyBeanMethods = false)
  @ConditionalOnClass(MeterRegistry.class)
  @ConditionalOnBooleanProperty(
      name = "kvshift.observations",
      havingValue = false,
      matchIfMissing = true)
  static class Metrics {
    @Bean
    @ConditionalOnBean(MeterRegistry.class)
    @ConditionalOnMissingBean(KvObserver.class)
    MicrometerObserver kvObserver(MeterRegistry registry) {
      return new MicrometerObserver(registry);
    }
  }

  @Configuration(proxyBeanMethods = false)
  @ConditionalOnClass(ObservationRegistry.class)
  @ConditionalOnBooleanProperty("kvshift.observations")
  static class Observations {
    @Bean
    @ConditionalOnBean(ObservationRegistry.class)
    @ConditionalOnMissingBean(KvObserver.class)
    MicrometerObservations kvObserver(ObservationRegistry registry) {
      return new MicrometerObservations(registry);
    }
  }

  @Configuration(proxyBeanMethods = false)
  @ConditionalOnClass({HealthIndicator.class, ConditionalOnEnabledHealthIndicator.class})
  @ConditionalOnEnabledHealthIndicator("kvshift")
  static class Health {
    @Bean
    @ConditionalOnMissingBean(name = "kvshiftHealthIndicator")
    HealthIndicator kvshiftHealthIndicator(KvStore store, KvshiftProperties properties) {
      return new StoreHealth(store, properties.pingTimeout());
    }
  }
}
