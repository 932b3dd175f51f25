package dev.kvshift.examples;

import static dev.kvshift.model.Values.text;
import static dev.kvshift.model.key.Keys.firstBits;
import static dev.kvshift.model.key.Keys.instant;
import static dev.kvshift.model.key.Keys.string;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.Locks;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Continuation;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Outcome;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.ReadOptions;
import dev.kvshift.api.StoreOptions;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.examples.OrderBook.OrderKey;
import dev.kvshift.examples.proto.Order;
import dev.kvshift.memory.InMemory;
import dev.kvshift.memory.InjectedFaults;
import dev.kvshift.memory.InjectedFaults.Fault;
import dev.kvshift.memory.MemoryOptions;
import dev.kvshift.memory.MovableClock;
import dev.kvshift.model.MicrometerObservations;
import dev.kvshift.model.MicrometerObserver;
import dev.kvshift.model.Model;
import dev.kvshift.model.PointModel;
import dev.kvshift.model.Stores;
import dev.kvshift.model.TypedEntry;
import dev.kvshift.model.TypedPage;
import dev.kvshift.model.TypedPoint;
import dev.kvshift.model.TypedRange;
import dev.kvshift.model.key.KeyPrefix;
import dev.kvshift.model.key.KeyRange;
import dev.kvshift.model.key.Keys;
import dev.kvshift.model.key.RangeKey;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Compiles and runs the code of {@code docs/service-guide.md}. Code there is code of this class, of
 * the example service or of the Spring Boot starter's tests; what it prints there is what it prints
 * here.
 */
class ServiceGuideTest {
  private static final Path ROOT = Path.of(System.getProperty("kvshift.root"));
  private static final Pattern BLOCK =
      Pattern.compile("^```(\\w*)\n(.*?)^```$", Pattern.DOTALL | Pattern.MULTILINE);
  private static final Pattern LIMIT = Pattern.compile("^\\| (.+?) \\| (.+?) \\|$");

  private static final Instant NOON = Instant.parse("2026-11-20T12:00:00Z");

  static final PointModel<String, String> SESSIONS =
      Model.point("sessions").key(string()).value(text()).expiringAfter(Duration.ofHours(12));

  private final Order tea = Order.newBuilder().setArticle("tea").setPieces(3).build();
  private final OrderKey key = new OrderKey(NOON, "A-1");
  private final StringBuilder printed = new StringBuilder();

  private void print(Object line) {
    printed.append(line).append('\n');
  }

  /** A page of orders as the service's callers see it. */
  record OrdersPage(List<String> orders, String next) {}

  static OrdersPage page(
      TypedRange<String, OrderKey, Order> orders, String customer, String after) {
    TypedPage<OrderKey, Order> page =
        orders.getRange(
            customer,
            KeyRange.<OrderKey>all().backward(),
            PageLimit.entries(2),
            after.isEmpty() ? null : Continuation.parse(after));
    return new OrdersPage(
        page.entries().stream().map(entry -> entry.clustering().number()).toList(),
        page.next() == null ? "" : page.next().print());
  }

  static <V> void retrying(TypedPoint<String, V> collection, String key, V value, int attempts)
      throws InterruptedException {
    for (int attempt = 1; ; attempt++) {
      try {
        collection.put(key, value);
        return;
      } catch (KvException e) {
        if (attempt == attempts || !(e.isRetryable() || e.mayHaveBeenApplied())) {
          throw e;
        }
        Thread.sleep(10L << attempt);
      }
    }
  }

  @Test
  void open_byAString_observesTheStore() {
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    Map<String, String> environment = Map.of("ORDERS_STORE", "memory://guide-open");
    KvStore store =
        Stores.connect(
            environment.get("ORDERS_STORE"),
            StoreOptions.defaults().withObserver(new MicrometerObserver(registry)));
    TypedRange<String, OrderKey, Order> orders = OrderBook.ORDERS.open(store);

    orders.put("c-17", key, tea);
    orders.get("c-17", key);
    orders.get("c-18", key);

    registry
        .scrape()
        .lines()
        .filter(line -> line.startsWith("kv_operation_") && !line.contains("{quantile"))
        .filter(line -> line.contains("_count{") || line.contains("_total{"))
        .sorted()
        .forEach(this::print);
    store.close();
    assertPrinted();
  }

  @Test
  void operations_ofARange_readWhatWasWritten() {
    try (KvStore store = Stores.connect("memory://guide-operations")) {
      TypedRange<String, OrderKey, Order> orders = OrderBook.ORDERS.open(store);
      OrderKey second = new OrderKey(NOON.plusSeconds(60), "A-2");

      orders.put("c-17", key, tea);
      Optional<Order> one = orders.get("c-17", key);
      Map<RangeKey<String, OrderKey>, Outcome<Optional<Order>>> several =
          orders.getAll(List.of(new RangeKey<>("c-17", key), new RangeKey<>("c-17", second)));
      orders.delete("c-17", key);

      assertThat(one).contains(tea);
      assertThat(several.values())
          .containsExactly(Outcome.ok(Optional.of(tea)), Outcome.ok(Optional.empty()));
      assertThat(orders.get("c-17", key)).isEmpty();
    }
  }

  @Test
  void pages_overHttp_continueWhereTheLastEnded() {
    try (KvStore store = Stores.connect("memory://guide-pages")) {
      TypedRange<String, OrderKey, Order> orders = OrderBook.ORDERS.open(store);
      for (int i = 1; i <= 3; i++) {
        orders.put("c-17", new OrderKey(NOON.plusSeconds(i), "A-" + i), tea);
      }

      OrdersPage first = page(orders, "c-17", "");
      OrdersPage second = page(orders, "c-17", first.next());
      print(first);
      print(second);
      try {
        page(orders, "c-18", first.next());
      } catch (KvException.InvalidArgument e) {
        print(e.getMessage());
      }

      KeyRange<OrderKey> today = KeyRange.prefix(KeyPrefix.of(Keys.instant(), NOON.plusSeconds(2)));
      assertThat(orders.getRange("c-17", today, PageLimit.entries(10)).entries()).hasSize(1);
    }
    assertPrinted();
  }

  @Test
  void ttl_movedClock_expiresTheEntry() {
    MovableClock clock = new MovableClock();
    try (KvStore store =
        InMemory.store("sessions-test", MemoryOptions.defaults().withClock(clock))) {
      TypedPoint<String, String> sessions = SESSIONS.open(store);
      sessions.put("s-1", "c-17");
      sessions.put("s-2", "c-18", WriteOptions.ttl(Duration.ofMinutes(5)));

      clock.advance(Duration.ofMinutes(6));
      assertThat(sessions.get("s-1")).contains("c-17");
      assertThat(sessions.get("s-2")).isEmpty();

      clock.advance(Duration.ofHours(12));
      assertThat(sessions.get("s-1")).isEmpty();
    }
  }

  @Test
  void faults_injected_areWhatAServiceMustBear() throws InterruptedException {
    InjectedFaults faults = new InjectedFaults();
    try (KvStore store =
        InMemory.store("faults-test", MemoryOptions.defaults().withFaults(faults))) {
      TypedPoint<String, String> sessions = SESSIONS.open(store);

      faults.failNext(2, Fault.UNREACHABLE);
      retrying(sessions, "s-1", "c-17", 3);
      assertThat(sessions.get("s-1")).contains("c-17");

      faults.failNext(1, Fault.ANSWER_LOST); // applied, but the caller does not hear of it
      assertThatThrownBy(() -> sessions.put("s-2", "c-18"))
          .isInstanceOf(KvException.UnknownOutcome.class);
      assertThat(sessions.get("s-2")).contains("c-18");

      faults.hold(); // a server that has stopped
      assertThatThrownBy(() -> sessions.get("s-1", ReadOptions.timeout(Duration.ofMillis(50))))
          .isInstanceOf(KvException.Transient.class);
      faults.release();

      faults.failAll(Fault.UNREACHABLE);
      assertThatThrownBy(() -> store.ping(Duration.ofSeconds(1)))
          .isInstanceOf(KvException.Transient.class);
    }
  }

  @Test
  void locks_readModifyWrite_refusesALateHolder() {
    MovableClock clock = new MovableClock();
    try (KvStore store = InMemory.store("guide-locks", MemoryOptions.defaults().withClock(clock))) {
      TypedPoint<String, String> sessions = SESSIONS.open(store);
      Locks locks = store.locks("sessions");
      var held = locks.tryLockAll(Set.of(Bytes.utf8("s-1")), Duration.ofSeconds(3)).acquired();
      clock.advance(Duration.ofSeconds(4));
      locks.tryLockAll(Set.of(Bytes.utf8("s-1")), Duration.ofSeconds(3));
      try {
        sessions.put("s-1", "late", WriteOptions.lock(held.iterator().next()));
      } catch (KvException.Permanent e) {
        print(e.getMessage().replaceAll("\\d{9,}", "…"));
      }
      assertThat(sessions.get("s-1")).isEmpty();
    }
    assertPrinted();
  }

  @Test
  void errors_ofWrongArguments_sayWhatToDo() {
    try (KvStore store = Stores.connect("memory://guide-errors")) {
      TypedPoint<String, String> sessions = SESSIONS.open(store);
      for (Runnable wrong :
          List.<Runnable>of(
              () -> sessions.put("s-1", "x".repeat(17 << 20)),
              () -> WriteOptions.ttl(Duration.ZERO),
              () -> store.collection("Sessions", Layout.point()),
              () -> Stores.connect("scyla://node-1/orders"),
              () -> Stores.connect("memory://guide?asinc=true"))) {
        try {
          wrong.run();
        } catch (KvException e) {
          print(e.getClass().getSimpleName() + ": " + e.getMessage());
        }
      }
    }
    assertPrinted();
  }

  @Test
  void tracing_observations_haveTheCallersAsParent() {
    ObservationRegistry registry = ObservationRegistry.create();
    registry
        .observationConfig()
        .observationHandler(
            new ObservationHandler<>() {
              @Override
              public void onStop(Observation.Context context) {
                var parent = context.getParentObservation();
                print(
                    context.getContextualName()
                        + (parent == null ? "" : "  ")
                        + context.getLowCardinalityKeyValues().stream()
                            .map(pair -> pair.getKey() + "=" + pair.getValue())
                            .collect(Collectors.joining(" "))
                        + (parent == null
                            ? ""
                            : "  in " + parent.getContextView().getContextualName()));
              }

              @Override
              public boolean supportsContext(Observation.Context context) {
                return true;
              }
            });
    try (KvStore store =
        Stores.connect(
            "memory://guide-tracing",
            StoreOptions.defaults().withObserver(new MicrometerObservations(registry)))) {
      TypedPoint<String, String> sessions = SESSIONS.open(store);

      Observation.createNotStarted("http.server.requests", registry)
          .contextualName("GET /sessions")
          .observe(() -> sessions.get("s-1"));
    }
    assertPrinted();
  }

  @Test
  void asynchronous_stages_failBare() {
    try (KvStore store = Stores.connect("memory://guide-async?async=true")) {
      TypedPoint<String, String> sessions = SESSIONS.open(store);

      String answer =
          sessions
              .async()
              .put("s-1", "c-17")
              .handle((done, error) -> error == null ? "stored" : "failed: " + error.getMessage())
              .toCompletableFuture()
              .join();

      assertThat(answer).isEqualTo("stored");
    }
  }

  @Test
  void bytes_withoutAModel_areReadAsTheyAre() {
    try (KvStore store = Stores.connect("memory://guide-bytes")) {
      KvCollection raw = store.collection("flags", Layout.point());
      raw.put(Key.of(Bytes.utf8("beta")), Bytes.utf8("on"));

      assertThat(raw.get(Key.of(Bytes.utf8("beta")))).contains(Bytes.utf8("on"));
    }
  }

  @Test
  void limits_ofTheTable_areThoseOfTheLibrary() throws IOException {
    List<String> rows =
        section("## Names and limits")
            .lines()
            .filter(line -> LIMIT.matcher(line).matches())
            .toList();

    assertThat(rows)
        .contains(
            "| keys of a multi-key call | " + grouped(KvCollection.MAX_KEYS) + " |",
            "| page | "
                + grouped(PageLimit.MAX_ENTRIES)
                + " entries, "
                + (PageLimit.MAX_BYTES >> 20)
                + " MiB (default: 1 MiB) |",
            "| TTL | 1 ms to " + grouped(WriteOptions.MAX_TTL.toDays()) + " days |",
            "| time-out of a call | 1 ms to "
                + WriteOptions.MAX_TIMEOUT.toMinutes()
                + " min (default: 10 s) |",
            "| locks of a batch | 1 to " + grouped(Locks.MAX_KEYS) + " |",
            "| lease of a lock | 100 ms to 1 h |");
  }

  @Test
  void readme_fiveLines_readWhatTheyWrote() {
    var model =
        Model.range("orders")
            .main(string())
            .clustering(instant())
            .shardBy(firstBits(40))
            .value(text());
    KvStore store = Stores.connect("memory://shop");
    TypedRange<String, Instant, String> orders = model.open(store);
    orders.put("c-17", Instant.now(), "3 × tea");
    orders.getRange("c-17", KeyRange.<Instant>all().backward(), PageLimit.entries(20));

    assertThat(
            orders.getRange("c-17", KeyRange.all(), PageLimit.entries(20)).entries().stream()
                .map(TypedEntry::value))
        .containsExactly("3 × tea");
    store.close();
  }

  @Test
  void code_ofReadmeAndGuide_isCompiledAndRun() throws IOException {
    String compiled = squeezed(sources());
    List<String> blocks = new ArrayList<>();
    for (String document : List.of(Files.readString(ROOT.resolve("README.md")), guide())) {
      for (MatchResult block : BLOCK.matcher(document).results().toList()) {
        if (block.group(1).equals("java")) {
          blocks.add(squeezed(block.group(2)));
        }
      }
    }
    assertThat(blocks).hasSizeGreaterThan(15).allMatch(compiled::contains);
  }

  @Test
  void readme_coordinates_areThoseOfTheBom() throws IOException {
    String readme = Files.readString(ROOT.resolve("README.md"));
    assertThat(readme).contains("Group `dev.kvshift`, version `" + version() + "`");
    String coordinates =
        readme.substring(readme.indexOf("## Coordinates"), readme.indexOf("## Documentation"));
    List<String> named = results("`(kv-[a-z-]+)`", coordinates);
    assertThat(named).hasSizeGreaterThan(7);
    assertThat(results("<artifactId>(kv-[a-z-]+)</artifactId>", bom())).containsAll(named);
    assertThat(readme.lines().count()).as("two screens").isLessThan(110);
  }

  @Test
  void dependencies_ofTheGuide_areThoseOfTheBom() throws IOException {
    String artifact = "<artifactId>(kv-[a-z-]+)</artifactId>";
    assertThat(results(artifact, guide()))
        .contains("kv-bom", "kv-model", "kv-scylla", "kv-memory")
        .isSubsetOf(results(artifact, bom()));
    assertThat(guide()).contains("<version>" + version() + "</version>");
  }

  private void assertPrinted() {
    try {
      assertThat(guide()).contains("```\n" + printed + "```\n");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String section(String title) throws IOException {
    String rest = guide().substring(guide().indexOf(title + "\n"));
    int end = rest.indexOf("\n## ", 1);
    return end < 0 ? rest : rest.substring(0, end);
  }

  private static String guide() throws IOException {
    return Files.readString(ROOT.resolve("docs/service-guide.md"));
  }

  private static String bom() throws IOException {
    return Files.readString(ROOT.resolve("kv-bom/pom.xml"));
  }

  private static String version() throws IOException {
    return results("<version>(.*?)</version>", bom()).get(0);
  }

  private static List<String> results(String pattern, String text) {
    return Pattern.compile(pattern).matcher(text).results().map(found -> found.group(1)).toList();
  }

  private static String sources() throws IOException {
    List<String> texts = new ArrayList<>();
    for (String folder : List.of("examples/src", "kv-spring-boot-starter/src/test")) {
      try (Stream<Path> files = Files.walk(ROOT.resolve(folder))) {
        for (Path file : (Iterable<Path>) files::iterator) {
          if (file.toString().endsWith(".java")) {
            texts.add(Files.readString(file));
          }
        }
      }
    }
    return String.join("\n", texts);
  }

  private static String grouped(long number) {
    return String.format(Locale.ROOT, "%,d", number);
  }

  private static String squeezed(String code) {
    return code.replaceAll("\\s+", " ").strip();
  }
}
