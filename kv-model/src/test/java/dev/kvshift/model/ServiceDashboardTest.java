package dev.kvshift.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.KvStore;
import dev.kvshift.api.KvObserver;
import dev.kvshift.api.KvObserver.Event;
import dev.kvshift.api.KvObserver.Operation;
import dev.kvshift.api.KvObserver.Result;
import dev.kvshift.api.StoreOptions;
import dev.kvshift.model.key.Keys;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The dashboard of services and their documented metrics against those that are exported. */
final class ServiceDashboardTest {
  private static final Path DOCS = Path.of(System.getProperty("kvshift.root"), "docs");
  private static final String NAME = "\\b(kv_[a-z_]+)\\b";
  private static final String SAMPLE = "(?m)^(kv_[a-z_]+)\\b";
  private static final String META = "(?m)^# TYPE (kv_[a-z_]+) (?:counter|summary)$";

  @Test
  void names_ofTheDashboard_areExported() throws IOException {
    assertThat(found(SAMPLE, exported()))
        .containsAll(found(NAME, dashboard()))
        .hasSizeGreaterThan(8);
  }

  @Test
  void labels_ofTheDashboard_haveValuesThatExist() throws IOException {
    assertThat(found("kind=\\\\\"([a-z_]+)\\\\\"", dashboard()))
        .hasSizeGreaterThan(6)
        .isSubsetOf(words(Event.Kind.values()));
    assertThat(found("result!=\\\\\"([a-z_]+)\\\\\"", dashboard())).containsExactly("ok");
    for (String expression : found("\"expr\": \"(.*)\"", dashboard())) {
      for (String label : found("(?:by \\(|, )([a-z]+)(?=[,)])", expression)) {
        assertThat(exported()).as(expression).contains(label + "=\"");
      }
    }
  }

  @Test
  void metrics_exported_areThoseOfTheTable() throws IOException {
    String section = Files.readString(DOCS.resolve("monitoring.md"));
    section = section.substring(section.indexOf("## Services"));
    assertThat(found("(?m)^\\| `(kv_[a-z_]+)` \\|", section)).isEqualTo(found(META, exported()));
    assertThat(found("`([a-z_]+)`", line(section, "operation")))
        .containsAll(words(Operation.values()));
    assertThat(found("`([a-z_]+)`", line(section, "result"))).containsAll(words(Result.values()));
    assertThat(found("`([a-z_]+)`", line(section, "concern")))
        .containsAll(words(KvObserver.Concern.values()));
  }

  @Test
  void events_ofEachKind_areInTheTableOfWhatToWatch() throws IOException {
    assertThat(found("(?m)^\\| `([A-Z_]+)` \\|", Files.readString(DOCS.resolve("transition.md"))))
        .containsExactlyInAnyOrderElementsOf(
            Arrays.stream(Event.Kind.values()).map(Enum::name).toList());
  }

  /** What Prometheus reads from a service that has had an operation and an event of each kind. */
  private static String exported() {
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    MicrometerObserver observer = new MicrometerObserver(registry);
    try (KvStore store =
        Stores.connect("memory://dashboard", StoreOptions.defaults().withObserver(observer))) {
      Model.point("seen").key(Keys.string()).value(Values.text()).open(store).put("a", "four");
    }
    for (Event.Kind kind : Event.Kind.values()) {
      observer.happened(
          Event.of(kind, "transition://", "new")
              .withCollection("seen")
              .withDuration(Duration.ofMillis(7)));
    }
    return registry.scrape();
  }

  private static String dashboard() throws IOException {
    return Files.readString(DOCS.resolve("monitoring/services.json"));
  }

  /** Returns the row of the table of labels for one of them. */
  private static String line(String section, String label) {
    return section
        .lines()
        .filter(line -> line.startsWith("| `" + label + "` |"))
        .findFirst()
        .orElseThrow();
  }

  private static Set<String> found(String pattern, String text) {
    return Pattern.compile(pattern)
        .matcher(text)
        .results()
        .map(result -> result.group(1))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static Set<String> words(Enum<?>[] constants) {
    return Arrays.stream(constants)
        .map(constant -> constant.name().toLowerCase(Locale.ROOT))
        .collect(Collectors.toCollection(TreeSet::new));
  }
}
