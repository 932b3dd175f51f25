package dev.kvshift.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.KvStore;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvObserver;
import dev.kvshift.memory.InMemory;
import dev.kvshift.memory.InjectedFaults;
import dev.kvshift.memory.InjectedFaults.Fault;
import dev.kvshift.memory.MemoryOptions;
import dev.kvshift.model.TypedPoint;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler;
import io.micrometer.observation.ObservationRegistry;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.context.properties.bind.DataObjectPropertyName;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.support.GenericApplicationContext;

/** A service on Spring Boot, in its context and over HTTP. */
final class StarterTest {
  private static final Path ROOT = Path.of(System.getProperty("kvshift.root"));
  private static final Path MODULE = ROOT.resolve("kv-spring-boot-starter");
  private static final String METADATA =
      "src/main/resources/META-INF/spring-configuration-metadata.json";
  private static final String ORDERS = "/customers/c-17/orders";
  private static final String ORDER = ORDERS + "/2026-11-20T12:00:00Z";

  private final HttpClient http = HttpClient.newHttpClient();
  private final List<ConfigurableApplicationContext> started = new ArrayList<>();

  @SpringBootConfiguration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  @Import(OrderController.class)
  static class Shop {}

  /** A service that has a bean with the name of somebody else's collection. */
  @Configuration(proxyBeanMethods = false)
  static class Others {
    @Bean
    String others(@Qualifier("sessions") TypedPoint<String, String> sessions) {
      sessions.put("s-1", "c-17");
      return sessions.get("s-1").orElseThrow();
    }

    @Bean
    String ofCollection(@Qualifier("others") TypedPoint<String, String> collection) {
      return "opened " + collection.model().name();
    }
  }

  @AfterEach
  void close() {
    started.forEach(ConfigurableApplicationContext::close);
  }

  @Test
  void service_overHttp_servesItsOrdersAndReportsHealthAndMetrics() throws Exception {
    ConfigurableApplicationContext context = start(beans -> {}, "--ORDERS_STORE=memory://shop");

    assertThat(http.send(put(context, "3 × tea"), BodyHandlers.ofString()).statusCode())
        .isEqualTo(200);
    assertThat(get(context, ORDERS).body()).isEqualTo("[\"3 × tea\"]");

    assertThat(get(context, "/actuator/health/readiness").body()).contains("\"UP\"");
    assertThat(get(context, "/actuator/prometheus").body())
        .contains(
            "kv_operation_seconds_count{collection=\"orders\",operation=\"put\",result=\"ok\"} 1",
            "kv_operation_seconds_count{collection=\"orders\",operation=\"get_range\","
                + "result=\"ok\"} 1");
  }

  @Test
  void readiness_storeThatDoesNotAnswer_isDownAndLivenessIsNot() throws Exception {
    InjectedFaults faults = new InjectedFaults();
    ConfigurableApplicationContext context = start(store("health", faults));

    faults.failAll(Fault.UNREACHABLE);

    assertThat(get(context, "/actuator/health/readiness").statusCode()).isEqualTo(503);
    assertThat(get(context, "/actuator/health/liveness").statusCode()).isEqualTo(200);
    faults.heal();
    assertThat(get(context, "/actuator/health/readiness").statusCode()).isEqualTo(200);
  }

  @Test
  void shutdown_requestInProgress_isAnsweredBeforeTheStoreIsClosed() throws Exception {
    InjectedFaults faults = new InjectedFaults();
    KvStore store = store("shutdown", faults);
    ConfigurableApplicationContext context = start(store);
    faults.hold();
    CompletableFuture<HttpResponse<String>> inProgress =
        http.sendAsync(put(context, "tea"), BodyHandlers.ofString());
    while (faults.held() == 0) {
      Thread.onSpinWait();
    }

    int port = port(context);
    CompletableFuture<Void> closed = CompletableFuture.runAsync(context::close);
    while (!closed.isDone() && accepts(port)) {
      Thread.onSpinWait();
    }
    assertThat(closed).isNotDone();
    faults.release();

    assertThat(inProgress.get().statusCode()).isEqualTo(200);
    closed.get();
    assertThatThrownBy(() -> store.ping(Duration.ofSeconds(10)))
        .isInstanceOf(KvException.Permanent.class);
  }

  @Test
  void observations_ofOperations_haveTheRequestAsParent() throws Exception {
    Queue<String> seen = new ConcurrentLinkedQueue<>();
    ObservationHandler<Observation.Context> handler =
        new ObservationHandler<>() {
          @Override
          public void onStop(Observation.Context operation) {
            var parent = operation.getParentObservation();
            if (parent != null) {
              seen.add(operation.getContextualName() + " in " + parent.getContextView().getName());
            }
          }

          @Override
          public boolean supportsContext(Observation.Context any) {
            return true;
          }
        };
    ConfigurableApplicationContext context =
        start(
            beans -> beans.registerBean("seen", ObservationHandler.class, () -> handler),
            "--ORDERS_STORE=memory://observed",
            "--kvshift.observations=true");

    get(context, ORDERS);

    assertThat(seen).containsExactly("get_range orders in http.server.requests");
    assertThat(get(context, "/actuator/prometheus").body())
        .contains("kv_operation_seconds_count{collection=\"orders\",error=\"none\"");
  }

  @Test
  void collections_thatNobodyInjects_stayClosed() {
    runner()
        .withPropertyValues("kvshift.url=memory://lazy")
        .run(
            context -> {
              assertThat(context.containsBean("orders")).isTrue();
              assertThat(context.getBeanFactory().containsSingleton("orders")).isFalse();
            });
  }

  @Test
  void collection_whoseNameABeanHas_isInjectedByItsQualifier() {
    runner()
        .withPropertyValues("kvshift.url=memory://names")
        .withUserConfiguration(Others.class)
        .run(
            context -> {
              assertThat(context.getBean("others")).isEqualTo("c-17");
              assertThat(context.getBean("ofCollection")).isEqualTo("opened others");
            });
  }

  @Test
  void context_withoutMicrometerAndHealth_opensTheStoreAlone() {
    runner()
        .withPropertyValues("kvshift.url=memory://alone")
        .withClassLoader(
            new FilteredClassLoader(
                MeterRegistry.class, ObservationRegistry.class, HealthIndicator.class))
        .run(
            context ->
                assertThat(context)
                    .hasSingleBean(KvStore.class)
                    .doesNotHaveBean(KvObserver.class)
                    .doesNotHaveBean(HealthIndicator.class));
  }

  @Test
  void context_withoutAUrl_saysWhatToDo() {
    runner()
        .run(
            context ->
                assertThat(context)
                    .getFailure()
                    .rootCause()
                    .hasMessage(
                        "the property kvshift.url is not set: give a connection string, such as"
                            + " memory://test"));
  }

  @Test
  void properties_ofTheGuideAndOfTheMetadata_areThoseThatAreRead() throws IOException {
    Set<String> read = new TreeSet<>(Set.of("management.health.kvshift.enabled"));
    for (RecordComponent property : KvshiftProperties.class.getRecordComponents()) {
      read.add("kvshift." + DataObjectPropertyName.toDashedForm(property.getName()));
    }

    assertThat(found("`((?:kvshift|management\\.health\\.kvshift)\\.[a-z-]+)` \\|", guide()))
        .isEqualTo(read);
    assertThat(found("\"name\": \"(.*)\"", Files.readString(MODULE.resolve(METADATA))))
        .isEqualTo(read);
  }

  @Test
  void properties_asText_hideTheUrl() {
    assertThat(
            new KvshiftProperties("scylla://app:secret@node-1/orders", false, Duration.ofSeconds(2))
                .toString())
        .doesNotContain("secret");
  }

  @Test
  void configuration_ofTheGuide_isThatOfThisService() throws IOException {
    assertThat(guide())
        .contains(
            "```yaml\n"
                + Files.readString(MODULE.resolve("src/test/resources/application.yaml"))
                + "```\n");
  }

  private static String guide() throws IOException {
    return Files.readString(ROOT.resolve("docs/service-guide.md"));
  }

  private static Set<String> found(String pattern, String text) {
    return Pattern.compile(pattern)
        .matcher(text)
        .results()
        .map(result -> result.group(1))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static ApplicationContextRunner runner() {
    return new ApplicationContextRunner()
        .withConfiguration(AutoConfigurations.of(KvshiftAutoConfiguration.class));
  }

  private static KvStore store(String name, InjectedFaults faults) {
    return InMemory.store(name, MemoryOptions.defaults().withFaults(faults));
  }

  private ConfigurableApplicationContext start(KvStore store) {
    return start(beans -> beans.registerBean(KvStore.class, () -> store), "--ORDERS_STORE=unused");
  }

  private ConfigurableApplicationContext start(
      Consumer<GenericApplicationContext> beans, String... arguments) {
    List<String> all = new ArrayList<>(List.of(arguments));
    all.addAll(List.of("--server.address=127.0.0.1", "--server.port=0"));
    ConfigurableApplicationContext context =
        new SpringApplicationBuilder(Shop.class)
            .initializers(fresh -> beans.accept((GenericApplicationContext) fresh))
            .run(all.toArray(String[]::new));
    started.add(context);
    return context;
  }

  private HttpResponse<String> get(ConfigurableApplicationContext context, String path)
      throws IOException, InterruptedException {
    return http.send(request(context, path).build(), BodyHandlers.ofString());
  }

  private static HttpRequest put(ConfigurableApplicationContext context, String order) {
    return request(context, ORDER).PUT(BodyPublishers.ofString(order)).build();
  }

  private static HttpRequest.Builder request(ConfigurableApplicationContext context, String path) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port(context) + path));
  }

  private static int port(ConfigurableApplicationContext context) {
    return context.getEnvironment().getRequiredProperty("local.server.port", Integer.class);
  }

  private static boolean accepts(int port) {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return socket.isConnected();
    } catch (IOException e) {
      return false;
    }
  }
}
