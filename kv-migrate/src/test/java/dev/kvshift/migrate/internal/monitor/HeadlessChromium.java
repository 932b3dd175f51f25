package dev.kvshift.migrate.internal.monitor;

import static dev.kvshift.testkit.concurrent.Await.join;
import static dev.kvshift.testkit.concurrent.Await.until;

import com.google.common.base.Splitter;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A Chromium of this machine, without a window, driven over its DevTools protocol. It has one page.
 * For one thread.
 */
final class HeadlessChromium implements AutoCloseable {
  private static final String NAMED = System.getProperty("kvshift.chromium", "");
  private static final List<String> NAMES =
      List.of("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome");

  private final HttpClient client = HttpClient.newHttpClient();
  private final Process process;
  private final WebSocket socket;
  private final AtomicInteger calls = new AtomicInteger();
  private final Map<Integer, CompletableFuture<JsonObject>> answers = new ConcurrentHashMap<>();
  private final Queue<String> complaints = new ConcurrentLinkedQueue<>();

  /**
   * Starts it.
   *
   * @param profile an empty folder for its files
   */
  HeadlessChromium(Path profile) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(binary().toString());
    command.addAll(
        List.of(
            "--headless",
            "--disable-gpu",
            "--hide-scrollbars",
            "--no-first-run",
            "--remote-debugging-port=0",
            "--user-data-dir=" + profile));
    if (System.getProperty("user.name").equals("root")) {
      // Its sandbox refuses to run as root; it loads nothing but our own page.
      command.add("--no-sandbox");
    }
    command.add("about:blank");
    Path output = profile.resolve("output.txt");
    process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    socket =
        join(
            client
                .newWebSocketBuilder()
                .buildAsync(page(endpoint(profile, output)), new Received(this::receive)));
    for (String domain : List.of("Page", "Runtime", "Log")) {
      call(domain + ".enable", new JsonObject());
    }
  }

  private static Path binary() {
    if (!NAMED.isEmpty()) {
      return Path.of(NAMED);
    }
    for (String folder : Splitter.on(File.pathSeparator).split(System.getenv("PATH"))) {
      for (String name : NAMES) {
        Path found = Path.of(folder, name);
        if (Files.isExecutable(found)) {
          return found;
        }
      }
    }
    throw new AssertionError(
        "there is no Chromium on the PATH: install one (Debian's chromium-headless-shell will do),"
            + " or name it with --chromium FILE");
  }

  /** Returns host and port at which it answers, as it notes them in its profile. */
  private String endpoint(Path profile, Path output) throws IOException {
    Path noted = profile.resolve("DevToolsActivePort");
    until("Chromium listens", () -> Files.exists(noted) || !process.isAlive());
    if (!process.isAlive()) {
      throw new AssertionError("Chromium has ended:\n" + Files.readString(output));
    }
    until("Chromium has noted its port", () -> noted.toFile().length() > 0);
    return "127.0.0.1:" + Files.readAllLines(noted).get(0);
  }

  private URI page(String endpoint) throws IOException, InterruptedException {
    HttpRequest list = HttpRequest.newBuilder(URI.create("http://" + endpoint + "/json")).build();
    String targets = client.send(list, HttpResponse.BodyHandlers.ofString()).body();
    for (JsonElement target : JsonParser.parseString(targets).getAsJsonArray()) {
      if (target.getAsJsonObject().get("type").getAsString().equals("page")) {
        return URI.create(target.getAsJsonObject().get("webSocketDebuggerUrl").getAsString());
      }
    }
    throw new AssertionError("Chromium has no page: " + targets);
  }

  /** Shows the page as a screen of that size would, in a color scheme: light or dark. */
  void look(int width, int height, String scheme) {
    JsonObject metrics = new JsonObject();
    metrics.addProperty("width", width);
    metrics.addProperty("height", height);
    metrics.addProperty("deviceScaleFactor", 1);
    metrics.addProperty("mobile", width < 600);
    call("Emulation.setDeviceMetricsOverride", metrics);
    call(
        "Emulation.setEmulatedMedia",
        JsonParser.parseString(
                "{\"features\":[{\"name\":\"prefers-color-scheme\",\"value\":\"" + scheme + "\"}]}")
            .getAsJsonObject());
  }

  void open(URI address) {
    JsonObject where = new JsonObject();
    where.addProperty("url", address.toString());
    call("Page.navigate", where);
  }

  /** Returns the value of an expression of JavaScript, as JSON; promises are awaited. */
  JsonElement value(String expression) {
    JsonObject what = new JsonObject();
    what.addProperty("expression", expression);
    what.addProperty("returnByValue", true);
    what.addProperty("awaitPromise", true);
    JsonObject answer = call("Runtime.evaluate", what);
    if (answer.has("exceptionDetails")) {
      throw new AssertionError(expression + ": " + answer);
    }
    JsonElement value = answer.getAsJsonObject("result").get("value");
    return value == null ? JsonNull.INSTANCE : value;
  }

  /** Returns the whole page as a PNG. */
  byte[] picture() {
    JsonObject how = new JsonObject();
    how.addProperty("captureBeyondViewport", true);
    return Base64.getDecoder()
        .decode(call("Page.captureScreenshot", how).get("data").getAsString());
  }

  /** Returns the errors and warnings of the page so far. */
  List<String> complaints() {
    return List.copyOf(complaints);
  }

  private JsonObject call(String method, JsonObject parameters) {
    int id = calls.incrementAndGet();
    JsonObject call = new JsonObject();
    call.addProperty("id", id);
    call.addProperty("method", method);
    call.add("params", parameters);
    CompletableFuture<JsonObject> answer = new CompletableFuture<>();
    answers.put(id, answer);
    join(socket.sendText(call.toString(), true));
    JsonObject found = join(answer);
    if (found.has("error")) {
      throw new AssertionError(method + ": " + found);
    }
    return found.getAsJsonObject("result");
  }

  private void receive(String text) {
    JsonObject message = JsonParser.parseString(text).getAsJsonObject();
    if (message.has("id")) {
      answers.remove(message.get("id").getAsInt()).complete(message);
      return;
    }
    String method = message.get("method").getAsString();
    boolean isBad =
        switch (method) {
          case "Runtime.exceptionThrown", "Log.entryAdded" -> true;
          case "Runtime.consoleAPICalled" -> !text.contains("\"type\":\"log\"");
          default -> false;
        };
    if (isBad) {
      complaints.add(text);
    }
  }

  @Override
  public void close() {
    socket.abort();
    process.descendants().forEach(ProcessHandle::destroy);
    process.destroy();
    until("Chromium has ended", () -> !process.isAlive());
  }

  /** Joins the parts of messages. */
  private static final class Received implements WebSocket.Listener {
    private final Consumer<String> each;
    private final StringBuilder message = new StringBuilder();

    Received(Consumer<String> each) {
      this.each = each;
    }

    @Override
    public @Nullable CompletionStage<?> onText(
        WebSocket webSocket, CharSequence data, boolean last) {
      message.append(data);
      if (last) {
        String whole = message.toString();
        message.setLength(0);
        each.accept(whole);
      }
      webSocket.request(1);
      return null;
    }
  }
}
