package dev.kvshift.migrate.cli;

import static dev.kvshift.testkit.concurrent.Await.join;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Key;
import dev.kvshift.api.Layout;
import dev.kvshift.embedded.KafkaBroker;
import dev.kvshift.memory.InMemory;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.api.Step;
import dev.kvshift.spi.Store;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

final class MigrateCommandTest {
  private static final Layout LAYOUT = Layout.point();

  private final String name = UUID.randomUUID().toString();
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @TempDir private Path configured;

  @Test
  void run_filledStore_movesItAndWritesTheResult(@TempDir Path folder) throws Exception {
    Path json = folder.resolve("result.json");
    try (KvStore source = InMemory.store("from-" + name);
        KvStore target = InMemory.store("to-" + name)) {
      KvCollection files = source.collection("files", LAYOUT);
      for (int i = 0; i < 500; i++) {
        files.put(Key.of(Bytes.utf8("key-" + i)), Bytes.utf8("value-" + i));
      }

      assertThat(execute("run", "--cutover", "--final", "--json", json.toString()))
          .as(err.toString())
          .isZero();

      JsonObject result = JsonParser.parseString(Files.readString(json)).getAsJsonObject();
      assertThat(result.get("records").getAsInt()).isEqualTo(500);
      for (String count : List.of("missing", "extra", "different", "resurrected")) {
        assertThat(result.get(count).getAsInt()).as(count).isZero();
      }
      assertThat(result.getAsJsonObject("steps").keySet())
          .containsExactly("prepare", "copy", "apply", "verify", "cutover");
      assertThat(out.toString())
          .contains("copy: 500 rows read = 500 written + 0 deleted + 0 expired + 0 rejected");
      assertThat(target.collection("files", LAYOUT).get(Key.of(Bytes.utf8("key-7"))))
          .contains(Bytes.utf8("value-7"));

      assertThat(execute("status")).isZero();
      assertThat(out.toString()).contains("files: phase new-only, epoch 1");
      assertThat(execute("cutover")).isZero();
      assertThat(out.toString()).contains("cutover: moved already by attempt ");
    }
  }

  @Test
  void steps_oneByOne_move() {
    try (KvStore source = InMemory.store("from-" + name);
        KvStore target = InMemory.store("to-" + name)) {
      source.collection("files", LAYOUT).put(Key.of(Bytes.utf8("a")), Bytes.utf8("b"));

      for (String step : List.of("prepare", "copy", "verify")) {
        assertThat(execute(step)).as(step + err).isZero();
      }
      assertThat(execute("cutover", "--final")).as("%s", err).isZero();
      assertThat(out.toString()).endsWith("files has moved for good: there is no way back\n");
      assertThat(target.collection("files", LAYOUT).get(Key.of(Bytes.utf8("a"))))
          .contains(Bytes.utf8("b"));
    }
  }

  @Test
  void run_dualWriteWay_movesWithoutAPause() {
    try (KvStore source = InMemory.store("from-" + name);
        KvStore target = InMemory.store("to-" + name)) {
      source.collection("files", LAYOUT).put(Key.of(Bytes.utf8("a")), Bytes.utf8("b"));

      Path file = configure("dwellSeconds: 0");
      assertThat(execute(file, "run", "--way", "dual-write")).as("%s", err).isZero();
      assertThat(out.toString()).contains("ready for the cutover: give --cutover");
      assertThat(execute("list")).isZero();
      assertThat(out.toString()).contains("files: phase new-primary");
      assertThat(execute(file, "run", "--way", "dual-write", "--cutover", "--final"))
          .as("%s", err)
          .isZero();
      assertThat(out.toString()).contains("cutover: moved without a pause, by seal-5\n");
      assertThat(err.toString()).contains("collection files enters phase NEW_PRIMARY, epoch 5\n");
      assertThat(execute("status")).isZero();
      assertThat(out.toString()).contains("files: phase new-only, epoch 6");
      assertThat(target.collection("files", LAYOUT).get(Key.of(Bytes.utf8("a"))))
          .contains(Bytes.utf8("b"));
    }
  }

  @Test
  void step_forwardAndRollback_takesThePhases() {
    try (KvStore source = InMemory.store("from-" + name);
        KvStore target = InMemory.store("to-" + name)) {
      assertThat(target).isNotNull();
      source.collection("files", LAYOUT).put(Key.of(Bytes.utf8("a")), Bytes.utf8("b"));

      assertThat(execute("copy")).isZero();
      Path file = configure("dwellSeconds: 0");
      assertThat(execute(file, "step", "shadow-read")).as("%s", err).isZero();
      assertThat(execute("status")).isZero();
      assertThat(out.toString()).contains("files: phase shadow-read, epoch 3");
      assertThat(execute("step", "new-read")).isEqualTo(ExitCode.REFUSED);
      assertThat(err.toString()).contains("collection files was not compared: verify first");
      assertThat(execute("cutover")).isEqualTo(ExitCode.REFUSED);
      assertThat(execute("rollback")).isZero();
      assertThat(out.toString())
          .contains("collection files is back in phase legacy, from shadow-read\n");
      assertThat(execute("rollback")).isZero();
      assertThat(out.toString()).endsWith("collection files is in phase legacy\n");
      assertThat(execute("run", "--cutover", "--final")).as("%s", err).isZero();
      assertThat(execute("rollback")).isEqualTo(ExitCode.REFUSED);
    }
  }

  @Test
  void cutover_wayBack_isTakenAndTheNextIsEnded() throws IOException {
    try (KvStore source = InMemory.store("from-" + name);
        KvStore target = InMemory.store("to-" + name)) {
      source.collection("files", LAYOUT).put(Key.of(Bytes.utf8("a")), Bytes.utf8("b"));

      assertThat(execute("run")).as("%s", err).isZero();
      assertThat(execute("finish")).isNotZero();
      assertThat(err.toString()).contains("was not moved with a way back");
      assertThat(execute("status")).isZero();
      assertThat(out.toString())
          .contains("way back: 'rollback'; after a cutover, too, until 'finish'\n");
      assertThat(execute("cutover")).as("%s", err).isZero();
      assertThat(out.toString())
          .endsWith("files keeps a way back: 'rollback files', or 'finish files' ends it\n");
      assertThat(execute("status")).isZero();
      assertThat(out.toString())
          .contains("files: phase new-primary, epoch 1, moved with a way back\n");
      assertThat(out.toString()).contains("way back: 'rollback', until 'finish'\n");
      assertThat(execute("cutover", "--final")).isEqualTo(ExitCode.REFUSED);
      assertThat(err.toString()).contains("keeps a way back: the command finish ends it");
      assertThat(execute("retire")).isEqualTo(ExitCode.REFUSED);
      assertThat(err.toString()).contains("give the command finish first, or rollback");
      assertThat(execute("cutover")).isZero();
      assertThat(out.toString()).contains("cutover: moved already by attempt ");
      assertThat(execute("step", "legacy")).isEqualTo(ExitCode.REFUSED);
      assertThat(err.toString()).contains("give the command finish or rollback");
      assertThat(execute("reset")).isEqualTo(ExitCode.REFUSED);
      refusesToGoBackWithoutAProof();
      assertThat(execute("rollback")).as("%s", err).isZero();
      assertThat(out.toString())
          .contains("collection files is back in phase legacy, after its move: ");
      assertThat(execute("rollback")).isZero();
      assertThat(out.toString()).endsWith("collection files is in phase legacy\n");
      assertThat(execute("status")).isZero();
      assertThat(out.toString()).contains("'certificate --rollback files' prints its proof");

      assertThat(execute("reset")).as("%s", err).isZero();
      assertThat(execute("run", "--cutover")).as("%s", err).isZero();
      assertThat(execute("finish")).as("%s", err).isZero();
      assertThat(execute("finish")).as("%s", err).isZero();
      assertThat(execute("status")).isZero();
      assertThat(out.toString()).contains("files: phase new-only");
      assertThat(target.collection("files", LAYOUT).get(Key.of(Bytes.utf8("a"))))
          .contains(Bytes.utf8("b"));
      assertThat(execute("rollback")).isEqualTo(ExitCode.REFUSED);
      out.getBuffer().setLength(0);
      assertThat(execute("certificate", "--rollback")).as("of the first move").isZero();
      Path proof = Files.writeString(configured.resolve("back.json"), out.toString());
      CommandLine line = MigrateCommand.commandLine();
      line.setOut(new PrintWriter(out));
      assertThat(line.execute("verify-certificate", proof.toString())).isZero();
      assertThat(out.toString())
          .contains("taken back after epoch 2, by ", ": 2 rows read, 0 written to the new side");
    }
  }

  private void refusesToGoBackWithoutAProof() {
    try (Store target = MemoryStoreProvider.open("to-" + name)) {
      String key = "migration/files/certificate";
      Bytes move = Objects.requireNonNull(join(target.metadata().get(key)));
      assertThat(join(target.metadata().compareAndSet(key, move, null))).isTrue();
      assertThat(execute("rollback")).isNotZero();
      assertThat(err.toString()).contains("the target has no record " + key);
      assertThat(execute("list")).isZero();
      assertThat(out.toString()).endsWith("files: phase new-primary, lead done\n");
      assertThat(join(target.metadata().compareAndSet(key, null, move))).isTrue();
    }
  }

  @Test
  void step_noPhase_listsThem() {
    assertThat(execute("step", "done")).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString())
        .contains(
            "there is no phase 'done': give one of legacy, shadow-write, dual-write, shadow-read,"
                + " new-read, new-primary, new-only");
    assertThat(execute("run", "--way", "both")).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString()).contains("there is no way 'both': give fence or dual-write");
  }

  @Test
  void verifyCertificate_printedOneAndAChangedOne_areToldApart(@TempDir Path folder)
      throws Exception {
    Path file = folder.resolve("certificate.json");
    try (KvStore source = InMemory.store("from-" + name);
        KvStore target = InMemory.store("to-" + name)) {
      assertThat(target).isNotNull();
      source.collection("files", LAYOUT).put(Key.of(Bytes.utf8("a")), Bytes.utf8("b"));
      assertThat(execute("certificate")).isEqualTo(ExitCode.USAGE);
      assertThat(err.toString()).endsWith("certificate: prepare the migration first\n");
      assertThat(execute("run", "--cutover")).isZero();
      out.getBuffer().setLength(0);
      assertThat(execute("certificate")).isZero();
    }
    Files.writeString(file, out.toString());
    assertThat(verifyCertificate(file)).isZero();
    assertThat(out.toString()).contains("valid: collection files, copy ");

    Files.writeString(
        file,
        out.toString().lines().findFirst().orElseThrow().replace("\"missing\":0", "\"missing\":1"));
    assertThat(verifyCertificate(file)).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString())
        .endsWith("migrate: the certificate was changed: its hash is another\n");

    Files.delete(file);
    assertThat(verifyCertificate(file)).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString()).contains("migrate: the certificate cannot be read from ");
  }

  private int verifyCertificate(Path file) {
    CommandLine line = MigrateCommand.commandLine();
    line.setOut(new PrintWriter(out));
    line.setErr(new PrintWriter(err));
    return line.execute("verify-certificate", file.toString());
  }

  @Test
  void cutover_notVerified_isRefused() {
    try (KvStore source = InMemory.store("from-" + name);
        KvStore target = InMemory.store("to-" + name)) {
      source.collection("files", LAYOUT).put(Key.of(Bytes.utf8("a")), Bytes.utf8("b"));
      assertThat(target).isNotNull();

      assertThat(execute("cutover")).isEqualTo(ExitCode.REFUSED);
      assertThat(err.toString())
          .endsWith("migrate: collection files was not compared: verify first\n");
    }
  }

  @Test
  void execute_wrongInput_saysWhatAndExitsWithUsage() {
    assertThat(MigrateCommand.commandLine().setErr(new PrintWriter(err)).execute("run"))
        .isEqualTo(ExitCode.USAGE);
    assertThat(err.toString()).contains("Missing required parameter: 'COLLECTION'");
    assertThat(execute(configure("nothing://x", "memory://y", "h:1", ""), "run"))
        .isEqualTo(ExitCode.USAGE);
    assertThat(err.toString()).contains("migrate: no driver for nothing:// ");
    assertThat(execute(configured.resolve("none.yaml"), "status")).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString()).contains("none.yaml cannot be read");
  }

  @Test
  void prepare_noBroker_saysSoAndExitsWithUnavailable() {
    try (KvStore source = InMemory.store("from-" + name);
        KvStore target = InMemory.store("to-" + name)) {
      source.collection("files", LAYOUT);
      assertThat(target).isNotNull();

      Path file =
          configure(
              "memory://from-" + name,
              "memory://to-" + name,
              "127.0.0.1:1",
              "allowEmpty: true, patienceSeconds: 1");
      assertThat(execute(file, "prepare")).isEqualTo(ExitCode.UNAVAILABLE);
      assertThat(err.toString()).contains("migrate: the broker at 127.0.0.1:1 does not answer: ");
    }
  }

  @Test
  void prepare_moreReplicasThanBrokers_namesTheOption() {
    try (KvStore source = InMemory.store("from-" + name);
        KvStore target = InMemory.store("to-" + name)) {
      source.collection("files", LAYOUT).put(Key.of(Bytes.utf8("a")), Bytes.utf8("b"));
      assertThat(target).isNotNull();

      assertThat(execute(configure("replication: 3"), "prepare")).isEqualTo(ExitCode.USAGE);
      assertThat(err.toString())
          .containsPattern("migrate: topic kvshift\\.files\\.\\S+ was not created: ")
          .endsWith("; give 'replication' at most as many as there are brokers\n");
    }
  }

  @Test
  void run_weakerConsistencyThanServicesUse_isRefused() {
    for (String weak : List.of("ONE", "LOCAL_ONE")) {
      err.getBuffer().setLength(0);
      String target = "scylla://host/keyspace?consistency=" + weak;
      assertThat(execute(configure("memory://from-" + name, target, "h:1", ""), "verify"))
          .isEqualTo(ExitCode.USAGE);
      assertThat(err.toString())
          .isEqualTo(
              "migrate: test.yaml, line 2: the runner cannot prove anything at consistency="
                  + weak
                  + ", which 'target' asks for: give LOCAL_QUORUM, or what the services use if that is"
                  + " stronger\n");
    }
  }

  @Test
  void stream_terminated_saysSoInOneLine() throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                StreamInMemory.class.getName(),
                configure(
                        "memory://from", "memory://to", KafkaBroker.shared().bootstrapServers(), "")
                    .toString())
            .redirectErrorStream(true)
            .start();
    List<String> lines = new ArrayList<>();
    try (BufferedReader reader = process.inputReader()) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        lines.add(line);
        if (line.startsWith("stream files: ")) {
          process.toHandle().destroy();
        }
      }
    }
    assertThat(process.waitFor()).isEqualTo(143);
    assertThat(lines).filteredOn(line -> line.startsWith("stream files: ")).isNotEmpty();
    assertThat(lines)
        .filteredOn(line -> !line.matches("(prepare|stream) files: .*"))
        .containsExactly("migrate: the run was terminated: start it again to resume");
  }

  @Test
  void prepare_unknownHost_saysSo() {
    try (KvStore source = InMemory.store("from-" + name);
        KvStore target = InMemory.store("to-" + name)) {
      source.collection("files", LAYOUT).put(Key.of(Bytes.utf8("a")), Bytes.utf8("b"));
      assertThat(target).isNotNull();

      Path file =
          configure(
              "memory://from-" + name, "memory://to-" + name, "no-such-host.invalid:9092", "");
      assertThat(execute(file, "prepare")).isEqualTo(ExitCode.USAGE);
      assertThat(err.toString())
          .endsWith(
              "migrate: no host of 'no-such-host.invalid:9092' is known here: check the names in"
                  + " 'bootstrap' of the configuration\n");
    }
  }

  @Test
  void line_runningAndEnded_saysRateAndTimeLeft() {
    assertThat(
            ProgressLines.line(
                new ProgressListener.Event(
                    "files",
                    Step.COPY,
                    1_500,
                    OptionalLong.of(4_500),
                    "rows",
                    1_000,
                    ProgressListener.State.RUNNING,
                    null)))
        .isEqualTo("copy files: 1,500 rows, 1,000/s, about 3 s left");
    assertThat(
            ProgressLines.line(
                new ProgressListener.Event(
                    "files",
                    Step.COPY,
                    4_500,
                    OptionalLong.of(4_500),
                    "rows",
                    1_000,
                    ProgressListener.State.ENDED,
                    null)))
        .isEqualTo("copy files: done, 4,500 rows");
  }

  /** Writes a configuration, with further members of its only collection. */
  private Path configure(String from, String to, String broker, String options) {
    try {
      return Files.writeString(
          configured.resolve("test.yaml"),
          """
          source: FROM
          target: TO
          kafka: {bootstrap: 'BROKER'}
          collections:
            - {name: files, layout: 'point;shard=none;encoding=1'OPTIONS}
          """
              .replace("FROM", from)
              .replace("TO", to)
              .replace("BROKER", broker)
              .replace("OPTIONS", options.isEmpty() ? "" : ", " + options));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private Path configure(String options) {
    return configure(
        "memory://from-" + name,
        "memory://to-" + name,
        KafkaBroker.shared().bootstrapServers(),
        options);
  }

  /** Gives a command for the collection. */
  private int execute(String... command) {
    return execute(configure(""), command);
  }

  private int execute(Path file, String... command) {
    List<String> arguments = new ArrayList<>(Arrays.asList(command));
    arguments.addAll(List.of("--config", file.toString(), "files"));
    CommandLine line = MigrateCommand.commandLine();
    line.setOut(new PrintWriter(out));
    line.setErr(new PrintWriter(err));
    return line.execute(arguments.toArray(new String[0]));
  }
}
