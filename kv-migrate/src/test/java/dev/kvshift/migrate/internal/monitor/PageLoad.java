package dev.kvshift.migrate.internal.monitor;

import static dev.kvshift.testkit.concurrent.Await.until;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.kvshift.api.Layout;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.migrate.api.CopyCounts;
import dev.kvshift.migrate.api.DifferenceCounts;
import dev.kvshift.migrate.api.Failure;
import dev.kvshift.migrate.api.HostPlan;
import dev.kvshift.migrate.api.HostStatus;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.MigrationStatus;
import dev.kvshift.migrate.api.VerifyReport;
import dev.kvshift.migrate.internal.apply.ApplyLag;
import dev.kvshift.migrate.internal.stream.Brokers;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Store;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code ./check page}: the status page in a headless Chromium, light and dark, on a screen and on
 * a phone, with collections in every kind of trouble. Not part of the suite, since it needs a
 * Chromium that no artifact brings. Leaves a picture of each in {@code target/page}.
 */
final class PageLoad {
  private static final Path PICTURES =
      Path.of(System.getProperty("kvshift.pictures", "target/page"));
  private static final InetSocketAddress LOOPBACK =
      new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
  private static final int PHONE = 360;
  private static final int SCREEN = 1100;
  private static final String LONG_NAME = "a-collection-name-without-an-end";

  /** Texts of less contrast to what is behind them than accessible pages have (WCAG AA). */
  private static final String PALE =
      """
      (() => {
        const parse = text => text.match(/[\\d.]+/g).map(Number);
        const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
          .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
          .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
        const behind = e => {
          for (; e; e = e.parentElement) {
            const color = parse(getComputedStyle(e).backgroundColor);
            if (color.length === 3 || color[3] === 1) return color;
          }
          return [255, 255, 255];
        };
        return [...document.querySelectorAll("body *")].filter(e => {
          const own = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
          if (!own || !e.getClientRects().length) return false;
          const style = getComputedStyle(e);
          if (parseFloat(style.fontSize) === 0) return false;
          const two = [light(parse(style.color)), light(behind(e))].sort((a, b) => b - a);
          return (two[0] + 0.05) / (two[1] + 0.05) < 4.5;
        }).map(e => e.className + ": " + e.textContent.slice(0, 40));
      })()
      """;

  /** Visible elements that reach beyond the right edge. */
  private static final String WIDE =
      """
      [...document.querySelectorAll("body *")]
        .filter(e => !e.closest(".plot") && e.getClientRects().length
          && e.getBoundingClientRect().right > innerWidth + 0.5)
        .map(e => e.tagName + "." + e.className + ": " + e.textContent.slice(0, 40))
      """;

  /** What the cards show, by collection: the text of each figure, and how many lines of a list. */
  private static final String SHOWN =
      """
      Object.fromEntries([...document.querySelectorAll("details.collection")].map(card => {
        const shown = {
          step: card.querySelector(".step").textContent,
          failure: card.querySelector(".failure").textContent,
          phase: card.querySelector(".phases .now")?.textContent ?? "",
          tasks: card.querySelectorAll(".tasks li").length,
          events: card.querySelectorAll(".events li").length,
          plots: [...card.querySelectorAll(".plot canvas")]
            .filter(e => e.getClientRects().length).length,
        };
        for (const figure of card.querySelectorAll(".figures div")) {
          const small = figure.querySelector("small")?.textContent ?? "";
          const value = figure.querySelector("dd").textContent;
          shown[figure.querySelector("dt").textContent]
            = value.slice(0, value.length - small.length) + "|" + small;
        }
        return [card.querySelector(".name").textContent, shown];
      }))
      """;

  private final Instant now = Instant.now();
  private final Store store = MemoryStoreProvider.open(UUID.randomUUID().toString());
  private final Monitor monitor =
      new Monitor(
          new HostPlan(
              "page",
              List.of(plan("files"), plan("package-files"), plan(LONG_NAME), plan("gone")),
              HostPlan.DEFAULT_LEASE),
          Duration.ofSeconds(5));
  private @TempDir @Nullable Path profile;

  private MigrationPlan plan(String name) {
    return MigrationPlan.builder(name, Layout.point())
        .source(store)
        .target(store)
        .bootstrapServers("localhost:1")
        .build();
  }

  @BeforeEach
  void readings() {
    List<MonitoredCollection> collections = monitor.collections();
    for (int i = 0; i < 60; i++) {
      long nanos = TimeUnit.SECONDS.toNanos(5L * i);
      Instant at = now.minusSeconds(5L * (60 - i));
      collections.get(0).note(stepping(at, i), nanos);
      collections.get(1).note(copying(at, i), nanos);
      collections.get(2).note(troubled(at, i), nanos);
    }
    store.close();
    try (Admin admin = Brokers.plain("localhost:1").admin(Duration.ofSeconds(1))) {
      collections.get(3).read(admin);
    }
  }

  @AfterEach
  void close() {
    monitor.close();
  }

  @Test
  void page_everySizeAndScheme_showsTheJsonWithoutErrors() throws Exception {
    Files.createDirectories(PICTURES);
    try (HeadlessChromium chromium = new HeadlessChromium(Objects.requireNonNull(profile))) {
      try (MonitorServer server = MonitorServer.start(monitor, LOOPBACK, null)) {
        URI address = URI.create("http://127.0.0.1:" + server.port() + "/");
        Map<String, JsonObject> wanted = wanted(address.resolve("status.json"));
        for (int width : List.of(SCREEN, PHONE)) {
          for (String scheme : List.of("light", "dark")) {
            chromium.look(width, 900, scheme);
            chromium.open(address);
            assertShows(chromium, (width == PHONE ? "phone-" : "screen-") + scheme, width, wanted);
          }
        }
      }
      String background = "getComputedStyle(document.body).backgroundColor";
      String dark = chromium.value(background).getAsString();
      chromium.look(PHONE, 900, "light");
      assertThat(chromium.value(background).getAsString()).isNotEqualTo(dark);
      until(
          "it says that it is old",
          () ->
              chromium
                  .value("document.getElementById('fresh').textContent")
                  .getAsString()
                  .startsWith("no answer: what you see is old"));
    }
  }

  private static void assertShows(
      HeadlessChromium chromium, String what, int width, Map<String, JsonObject> wanted)
      throws IOException {
    until(
        what + " is shown",
        () -> chromium.value("document.body?.dataset.shown ?? ''").getAsString().equals("4"));
    // Cards of many collections are closed at first.
    chromium.value("document.querySelectorAll('details').forEach(e => e.open = true)");
    until(
        what + " has its plots",
        () -> chromium.value("document.querySelectorAll('canvas').length").getAsInt() == 12);
    Files.write(PICTURES.resolve(what + ".png"), chromium.picture());

    assertThat(texts(chromium.value(WIDE))).as(what + ": reaches beyond the edge").isEmpty();
    assertThat(chromium.value("document.documentElement.scrollWidth").getAsInt())
        .as(what + ": no scrolling sideways")
        .isEqualTo(width);
    assertThat(texts(chromium.value(PALE))).as(what + ": pale texts").isEmpty();
    JsonObject shown = chromium.value(SHOWN).getAsJsonObject();
    wanted.forEach(
        (name, figures) ->
            figures
                .entrySet()
                .forEach(
                    figure ->
                        assertThat(shown.getAsJsonObject(name).get(figure.getKey()))
                            .as("%s, %s: %s", what, name, figure.getKey())
                            .isEqualTo(figure.getValue())));
    assertThat(chromium.complaints()).as(what + ": errors and warnings").isEmpty();
  }

  private static List<String> texts(JsonElement array) {
    List<String> texts = new ArrayList<>();
    array.getAsJsonArray().forEach(each -> texts.add(each.getAsString()));
    return texts;
  }

  /** Returns what the cards have to show, by the JSON. */
  private static Map<String, JsonObject> wanted(URI status) throws Exception {
    String json =
        HttpClient.newHttpClient()
            .send(HttpRequest.newBuilder(status).build(), HttpResponse.BodyHandlers.ofString())
            .body();
    Map<String, JsonObject> wanted = new LinkedHashMap<>();
    for (JsonElement each :
        JsonParser.parseString(json).getAsJsonObject().getAsJsonArray("collections")) {
      JsonObject collection = each.getAsJsonObject();
      wanted.put(
          collection.get("collection").getAsString(),
          collection.has("failure") ? failed(collection) : figures(collection));
    }
    assertThat(wanted).hasSize(4);
    return wanted;
  }

  private static JsonObject failed(JsonObject collection) {
    JsonObject shown = new JsonObject();
    shown.addProperty("step", "unknown");
    shown.add("failure", collection.get("failure"));
    shown.addProperty("plots", 0);
    return shown;
  }

  private static JsonObject figures(JsonObject collection) {
    JsonObject copy = collection.getAsJsonObject("copy");
    JsonObject lag = collection.getAsJsonObject("lag");
    JsonObject rates = collection.getAsJsonObject("rates");
    JsonObject fleet = collection.getAsJsonObject("fleet");
    JsonArray tasks = collection.getAsJsonArray("tasks");
    JsonObject shown = new JsonObject();
    shown.add("step", collection.get("step"));
    shown.addProperty("failure", "");
    shown.add("phase", collection.get("phase"));
    shown.addProperty("tasks", Math.max(1, tasks.size()));
    shown.addProperty("events", collection.getAsJsonArray("events").size());
    shown.addProperty("plots", 3);
    shown.addProperty(
        "Copied",
        count(copy, "written")
            + " rows|"
            + count(collection, "copyTasksDone")
            + " of "
            + count(collection, "copyTasks")
            + " tasks, "
            + count(rates, "copy")
            + " rows/s");
    shown.addProperty(
        "Streamed",
        count(rates, "stream")
            + " changes/s|"
            + count(lag, "streamChanges")
            + " behind the old store");
    shown.addProperty(
        "Applied",
        count(rates, "apply")
            + " changes/s|"
            + count(lag, "applyChanges")
            + " behind the old store");
    if (collection.has("verified")) {
      JsonObject verified = collection.getAsJsonObject("verified");
      shown.addProperty(
          "Comparison",
          count(verified, "differences")
              + " differences|"
              + count(verified, "sourceRows")
              + " and "
              + count(verified, "targetRows")
              + " rows, "
              + verified.get("at").getAsString().substring(0, 19).replace('T', ' '));
    }
    shown.addProperty(
        "Dead letters",
        count(collection, "deadLetters")
            + "|"
            + count(copy, "rejected")
            + " rejected by the copy, "
            + count(collection, "acceptedLosses")
            + " accepted as lost");
    shown.addProperty(
        "Fleet",
        count(fleet, "ready")
            + " of "
            + count(fleet, "instances")
            + " ready|epoch "
            + count(collection, "epoch"));
    return shown;
  }

  private static String count(JsonObject of, String name) {
    return String.format(Locale.ROOT, "%,d", Math.round(of.get(name).getAsDouble()));
  }

  /** In the middle of a dual-write cutover; one of the services is not ready. */
  private Reading stepping(Instant at, int i) {
    Gate.State state =
        Gate.State.first().withCopy(Copy.draw("log")).withEpoch(6).withPhase(Phase.NEW_READ);
    List<Fleet.User> users =
        List.of(
            user("orders", null),
            user("orders", null),
            user("reports", "it has not entered epoch 6 yet"));
    return new Reading(
        at,
        new HostStatus.Collection(
            status(
                new MigrationStatus.Source(
                    Phase.NEW_READ, 6, false, 1_000 + 310L * i, OptionalLong.empty()),
                new MigrationStatus.Stream(990 + 310L * i, now.plusSeconds(600_000)),
                new MigrationStatus.Copy(16, 16, counts(30_822, 0)),
                0,
                0,
                List.of(
                    event("verify", "\"done\":69208"),
                    event("command", "\"command\":\"step new-read files\""),
                    event("phase", "\"from\":\"legacy\",\"to\":\"new-read\",\"epoch\":6"))),
            false,
            List.of(
                new HostStatus.Task("copy", "done", "host-1", 1, 0, "", 30_822, 30_822, "", null),
                new HostStatus.Task("lead", "running", "host-2", 5, 0, "", 0, 0, "", null),
                new HostStatus.Task(
                    "verify", "done", "host-2", 2, 0, "", 69_208, 69_208, "", null))),
        new Fleet(state, users),
        OptionalLong.of(30_822),
        new ApplyLag(950 + 310L * i, 216, OptionalLong.of(20_900)),
        verified(34_570, 0),
        null);
  }

  /** In the middle of its copy; a part of it has failed. */
  private Reading copying(Instant at, int i) {
    long rows = 20_000L * i + 317;
    return new Reading(
        at,
        new HostStatus.Collection(
            status(
                new MigrationStatus.Source(Phase.LEGACY, 0, false, 5_000, OptionalLong.empty()),
                new MigrationStatus.Stream(5_000, now.plusSeconds(3_600)),
                new MigrationStatus.Copy(64, i, counts(rows, 3)),
                3,
                0,
                List.of(event("prepare", "\"done\":1"))),
            false,
            List.of(
                new HostStatus.Task(
                    "copy", "running", "host-1", 1, 0, "", rows, 2_000_000, "", null),
                new HostStatus.Task("copy-17", "running", "host-2", 1, 0, "", 12_345, 0, "", null),
                new HostStatus.Task(
                    "copy-18",
                    "failed",
                    "host-2",
                    4,
                    4,
                    "the collection's schema has changed: see the log",
                    1,
                    0,
                    "",
                    Failure.WRONG))),
        new Fleet(Gate.State.first(), List.of()),
        OptionalLong.of(2_000_000),
        new ApplyLag(5_000, 0, OptionalLong.of(0)),
        null,
        null);
  }

  /** Fenced and paused, with differences, losses, and names and reasons without any blank. */
  private Reading troubled(Instant at, int i) {
    Gate.State fenced =
        Gate.State.first().withFence(Gate.Fence.of("attempt", 7, 7, now.plusSeconds(5)));
    return new Reading(
        at,
        new HostStatus.Collection(
            status(
                new MigrationStatus.Source(
                    Phase.LEGACY, 0, true, 123_456_789_012L, OptionalLong.empty()),
                new MigrationStatus.Stream(1, now.minusSeconds(500)),
                new MigrationStatus.Copy(16, 16, counts(9_876_543_210L, 12)),
                1_234,
                17,
                List.of(
                    event("command", "\"command\":\"dead-letters-" + "drop-".repeat(60) + "\""))),
            true,
            List.of(
                new HostStatus.Task(
                    "verify",
                    "running",
                    "host-" + "0123456789".repeat(8),
                    12,
                    7,
                    "x".repeat(400),
                    1,
                    2,
                    "it waits for " + "z".repeat(200),
                    null))),
        new Fleet(
            fenced,
            List.of(user("service-" + "0123456789".repeat(9), "because-" + "y".repeat(300)))),
        OptionalLong.of(9_876_543_210L),
        new ApplyLag(1 + i, 1_000_000_000L, OptionalLong.of(999_999_999_999L)),
        verified(9_876_543_210L, 4_321),
        null);
  }

  private static CopyCounts counts(long rows, long rejected) {
    return new CopyCounts(rows, rows - rejected, new CopyCounts.Skipped(0, 0), rejected, 1);
  }

  private Reading.Verified verified(long rows, long different) {
    return new Reading.Verified(
        new VerifyReport(
            rows, rows + 68, 0, new DifferenceCounts(0, 0, different, 0), List.of(), Duration.ZERO),
        now.minusSeconds(500),
        now.plusSeconds(80_000));
  }

  private Fleet.User user(String service, @Nullable String obstacle) {
    return new Fleet.User(
        Gate.Instance.of(
            InstanceReport.of(UUID.randomUUID().toString(), service),
            InstanceReport.Use.acknowledging(6),
            now.plusSeconds(5)),
        obstacle);
  }

  private static MigrationStatus status(
      MigrationStatus.Source source,
      MigrationStatus.Stream stream,
      MigrationStatus.Copy copy,
      int quarantined,
      int losses,
      List<String> events) {
    return new MigrationStatus(
        "any",
        source,
        stream,
        copy,
        null,
        null,
        new MigrationStatus.Quarantine(quarantined, List.of(), losses),
        null,
        null,
        events);
  }

  private String event(String what, String more) {
    return "{\"what\":\""
        + what
        + "\","
        + more
        + ",\"who\":\"ann\",\"host\":\"ops-1\",\"at\":\""
        + now.minusSeconds(300)
        + "\"}";
  }
}
