package dev.kvshift.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Compares the README, the Dockerfile and the manifest with the service. */
class DocumentsTest {
  private static final Path FOLDER =
      Path.of(System.getProperty("kvshift.root")).resolve("examples");

  private static final Pattern REQUEST =
      Pattern.compile(
          "^\\| `(\\w+) (/\\S+)` \\| (?:`(.*?)` )?\\| (\\d+) \\| (?:`(.*?)` )?\\|$",
          Pattern.MULTILINE);

  private static final Pattern NUMBER =
      Pattern.compile("(terminationGracePeriodSeconds: |\"sleep\", \")(\\d+)");

  @Test
  void readme_requestsOfTheTable_areAnsweredAsShown() throws Exception {
    List<MatchResult> rows = REQUEST.matcher(read("README.md")).results().toList();
    assertThat(rows).hasSize(9);
    HttpClient client = HttpClient.newHttpClient();
    try (OrderServer server =
        OrderServer.start(
            Configuration.of(Map.of("ORDERS_STORE", "memory://readme", "ORDERS_PORT", "0")))) {
      for (MatchResult row : rows) {
        String body = row.group(3) == null ? "" : row.group(3);
        HttpRequest request =
            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + row.group(2)))
                .method(row.group(1), BodyPublishers.ofString(body))
                .build();
        HttpResponse<String> answer = client.send(request, BodyHandlers.ofString());
        assertThat(answer.statusCode() + " " + answer.body().strip())
            .as(row.group())
            .isEqualTo(row.group(4) + " " + (row.group(5) == null ? "" : row.group(5)));
      }
    }
  }

  @Test
  void readme_variables_areThoseOfTheConfiguration() throws IOException {
    assertThat(read("README.md"))
        .contains("| `ORDERS_STORE` |", "| `ORDERS_PORT` |", "| `ORDERS_HOST` |")
        .contains("default: `127.0.0.1` |");
  }

  @Test
  void dockerfile_runsTheServiceAndItsHealthCheck_withoutRoot() throws IOException {
    assertThat(read("Dockerfile"))
        .contains("COPY target/lib lib\n", "COPY target/orders.jar .\n", "\nUSER 10001\n")
        .contains("ENV ORDERS_HOST=0.0.0.0 ORDERS_PORT=8080\nEXPOSE 8080\n")
        .contains("\"" + HealthCheck.class.getName() + "\"")
        .contains("ENTRYPOINT [\"java\",");
  }

  @Test
  void manifest_probesAndDrain_fitTheService() throws IOException {
    String manifest = read("kubernetes.yaml");
    assertThat(manifest)
        .contains("path: /health/live", "path: /health/ready", "containerPort: 8080")
        .contains("runAsUser: 10001", "readOnlyRootFilesystem: true")
        .contains("  ORDERS_STORE: env:ORDERS_OLD\n")
        .contains(
            "# Today. While it moves: transition://orders?old=env:ORDERS_OLD&new=env:ORDERS_NEW");
    List<Integer> seconds =
        NUMBER.matcher(manifest).results().map(found -> Integer.valueOf(found.group(2))).toList();
    assertThat(seconds).hasSize(2);
    assertThat((long) seconds.get(0))
        .as("the grace, against preStop and the drain")
        .isGreaterThan(seconds.get(1) + OrderServer.DRAIN.toSeconds());
  }

  private static String read(String name) throws IOException {
    return Files.readString(FOLDER.resolve(name));
  }
}
