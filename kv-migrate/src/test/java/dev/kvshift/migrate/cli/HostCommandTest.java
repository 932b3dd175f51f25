package dev.kvshift.migrate.cli;

import static dev.kvshift.testkit.concurrent.Await.join;
import static dev.kvshift.testkit.concurrent.Await.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
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
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The commands of hosts, with hosts on threads of this process. */
final class HostCommandTest {
  private static final Layout LAYOUT = Layout.point();
  private static final int ROWS = 500;

  private final String name = UUID.randomUUID().toString();
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private final List<Thread> hosts = new ArrayList<>();
  private final KvStore source = InMemory.store("from-" + name);
  private final KvStore target = InMemory.store("to-" + name);

  @TempDir private Path folder;

  @BeforeEach
  void fill() throws IOException {
    Files.writeString(
        folder.resolve("test.yaml"),
        """
        name: NAME
        source: memory://from-NAME
        target: memory://to-NAME
        leaseSeconds: 3
        kafka: {bootstrap: 'BROKER'}
        defaults: {dwellSeconds: 0, partitions: 2, scanTasks: 16, workers: 2, patienceSeconds: 20}
        collections:
          - {name: files, layout: point;shard=none;encoding=1}
          - {name: users, layout: point;shard=none;encoding=1}
        """
            .replace("NAME", name)
            .replace("BROKER", KafkaBroker.shared().bootstrapServers()));
    for (String collection : List.of("files", "users")) {
      KvCollection filled = source.collection(collection, LAYOUT);
      for (int i = 0; i < ROWS; i++) {
        filled.put(Key.of(Bytes.utf8("key-" + i)), Bytes.utf8("value-" + i));
      }
    }
  }

  @AfterEach
  void close() throws InterruptedException {
    for (Thread host : hosts) {
      end(host);
    }
    source.close();
    target.close();
  }

  @Test
  void commands_twoHosts_migrateAndReport() {
    startHost();
    startHost();
    until("both hosts have joined", () -> hosts(status()).size() == 2);

    assertThat(execute("prepare")).as(err::toString).isZero();
    assertThat(out.toString()).contains("files is prepared").contains("users is prepared");
    assertThat(execute("copy")).as(err::toString).isZero();
    assertThat(out.toString())
        .contains("files copy: 500 rows read = 500 written + 0 deleted + 0 expired + 0 rejected")
        .contains("users copy: 500 rows read = 500 written + 0 deleted + 0 expired + 0 rejected");
    assertThat(execute("verify")).as(err::toString).isZero();
    assertThat(out.toString())
        .contains("files verify: 500 rows at the source, 500 at the target; missing 0");
    assertThat(execute("stream", "users")).as(err::toString).isZero();
    assertThat(out.toString()).contains("users streams").doesNotContain("files streams");

    JsonObject files = collection(status(), "files");
    assertThat(files.get("copyTasksDone").getAsInt()).isEqualTo(16);
    assertThat(files.getAsJsonObject("verify").get("differences").getAsInt()).isZero();
    assertThat(task(files, "lead").get("status").getAsString()).isEqualTo("running");
    assertThat(task(files, "verify").get("status").getAsString()).isEqualTo("done");
    assertThat(execute("list")).isZero();
    assertThat(out.toString())
        .contains("files: phase legacy, copy done, lead running, prepare done, verify done");
    assertThat(execute("status")).isZero();
    assertThat(out.toString()).contains("copy: 16 of 16 tasks, 500 rows read, 500 written");
  }

  @Test
  void copy_noHostRuns_saysSoAndIsDoneOnceOneDoes() {
    assertThat(execute("copy", "--no-wait", "files")).isZero();
    assertThat(err.toString()).contains("no host runs, so nothing happens yet: start one with");
    assertThat(task(collection(status(), "files"), "copy").get("status").getAsString())
        .isEqualTo("wanted");
    assertThat(execute("status")).isZero();
    assertThat(out.toString()).contains("no host runs");

    startHost();

    assertThat(execute("copy", "files")).as(err::toString).isZero();
    assertThat(out.toString()).contains("files copy: 500 rows read = 500 written");
    assertThat(collection(status(), "users").get("copyTasks").getAsInt()).isZero();
  }

  @Test
  void run_isInterrupted_handsItsTasksOverAtOnce() throws InterruptedException {
    Thread first = startHost();
    assertThat(execute("copy")).as(err::toString).isZero();
    end(first);

    for (String collection : List.of("files", "users")) {
      JsonObject lead = task(collection(status(), collection), "lead");
      assertThat(lead.get("status").getAsString()).isEqualTo("wanted");
      assertThat(lead.get("failures").getAsInt()).isZero();
    }
    assertThat(hosts(status())).isEmpty();

    startHost();
    assertThat(execute("verify")).as(err::toString).isZero();
    assertThat(task(collection(status(), "files"), "lead").get("attempt").getAsInt()).isEqualTo(2);
  }

  @Test
  void repair_hostLeads_takesTheLeadAndGivesItBack() {
    startHost();
    assertThat(execute("copy", "files")).as(err::toString).isZero();
    long attempt = leadAttempt("files");

    assertThat(execute("repair", "files")).as(err::toString).isZero();

    until(
        "the host leads again",
        () -> leadAttempt("files") == attempt + 2 && lead("files").equals("running"));
  }

  @Test
  void step_hostLeads_isTheHosts() {
    startHost();
    assertThat(execute("copy", "files")).as(err::toString).isZero();
    long attempt = leadAttempt("files");

    assertThat(execute("step", "dual-write", "files")).as(err::toString).isZero();

    assertThat(out.toString()).contains("files is in phase dual-write");
    assertThat(collection(status(), "files").get("phase").getAsString()).isEqualTo("dual-write");
    assertThat(leadAttempt("files")).isEqualTo(attempt);
    assertThat(out.toString())
        .contains("\"command\":\"step dual-write files --config=", "\"host\":\"");
    assertThat(execute("step", "new-read", "files")).isEqualTo(ExitCode.REFUSED);
    assertThat(execute("cutover", "files")).isEqualTo(ExitCode.REFUSED);
    assertThat(err.toString())
        .contains(
            "migrate: step of collection files has failed: collection files was not compared");
    assertThat(execute("step", "shadow-write", "files")).as(err::toString).isZero();
    assertThat(out.toString()).contains("files is in phase shadow-write");
    assertThat(execute("rollback", "files")).isZero();
    assertThat(collection(status(), "files").get("phase").getAsString()).isEqualTo("legacy");
  }

  @Test
  void cutover_hostLeads_movesWithoutAPauseByHand() {
    startHost();
    assertThat(execute("copy", "files")).as(err::toString).isZero();
    assertThat(execute("verify", "files")).as(err::toString).isZero();

    assertThat(execute("cutover", "--final", "files")).as(err::toString).isZero();

    assertThat(out.toString())
        .contains("cutover: moved after ", "files has moved for good: there is no way back\n");
    until("the host has seen it", () -> lead("files").equals("done"));
    assertThat(execute("certificate", "files")).isZero();
    assertThat(execute("copy", "files")).as(err::toString).isZero();
  }

  @Test
  void run_hostLeads_isTheHosts() {
    startHost();

    assertThat(execute("run", "--way", "dual-write", "files")).as(err::toString).isZero();
    assertThat(out.toString()).contains("ready for the cutover: give --cutover");
    assertThat(collection(status(), "files").get("phase").getAsString()).isEqualTo("new-primary");
    assertThat(leadAttempt("files")).as("nobody else led").isEqualTo(1);
    assertThat(execute("run", "files")).isEqualTo(ExitCode.REFUSED);
    assertThat(err.toString()).contains("is in phase NEW_PRIMARY of the dual-write cutover");

    assertThat(execute("run", "--cutover", "--final", "users")).as(err::toString).isZero();
    assertThat(out.toString()).contains("users cutover: moved after ", "copy: 500 rows read");
    assertThat(collection(status(), "users").get("phase").getAsString()).isEqualTo("new-only");
  }

  @Test
  void run_commandHasEnded_hostsGoOnUnlessSomebodyEndsIt() throws InterruptedException {
    assertThat(execute("run", "--no-wait", "--cutover", "--final", "files")).isZero();
    assertThat(err.toString()).contains("no host runs, so nothing happens yet: start one with");
    assertThat(execute("status", "files")).isZero();
    assertThat(out.toString()).contains("task run wanted: ends with the cutover, for good");
    assertThat(execute("rollback", "files")).isZero();
    assertThat(run("files").get("note").getAsString()).isEqualTo("withdrawn: rollback follows");
    startHost();
    Thread command =
        new Thread(() -> commandLine(out, err).execute(args("run", "files", "users")), "run");
    command.start();
    until("the run is recorded", () -> run("users").get("attempt").getAsLong() > 0);
    end(command);

    for (String name : List.of("files", "users")) {
      until(name + " is ready", () -> run(name).get("status").getAsString().equals("done"));
      assertThat(run(name).get("note").getAsString())
          .isEqualTo("stage 2 of 2, verify; ends before the cutover");
      assertThat(collection(status(), name).get("phase").getAsString()).isEqualTo("legacy");
    }
    assertThat(err.toString()).contains("what was asked for is recorded, and hosts go on");
    assertThat(execute("cutover", "--cancel", "files")).isEqualTo(ExitCode.REFUSED);
  }

  private JsonObject run(String collection) {
    for (JsonElement task : collection(status(), collection).getAsJsonArray("tasks")) {
      if (task.getAsJsonObject().get("task").getAsString().equals("run")) {
        return task.getAsJsonObject();
      }
    }
    return JsonParser.parseString("{\"attempt\":0}").getAsJsonObject();
  }

  @Test
  void cutover_group_movesBothAndOneAloneIsRefused() throws IOException {
    Files.writeString(
        folder.resolve("test.yaml"),
        Files.readString(folder.resolve("test.yaml"))
            + "groups: [{name: both, collections: [files, users]}]\n");
    for (String step : List.of("copy", "verify")) {
      assertThat(execute(step)).as(err::toString).isZero();
    }
    assertThat(execute("cutover", "files")).isEqualTo(ExitCode.REFUSED);
    assertThat(execute("run", "--cutover", "users")).isEqualTo(ExitCode.REFUSED);
    assertThat(execute("step", "new-only", "users")).isEqualTo(ExitCode.REFUSED);
    assertThat(execute("cutover", "--group", "others")).isEqualTo(ExitCode.USAGE);
    assertThat(execute("cutover")).isEqualTo(ExitCode.USAGE);
    assertThat(execute("cutover", "--go", "--group", "both")).isEqualTo(ExitCode.REFUSED);
    assertThat(err.toString()).contains("no cutover of collection files waits");

    assertThat(execute("cutover", "--group", "both")).as(err::toString).isZero();

    assertThat(out.toString())
        .contains("files cutover: moved after ", "users cutover: moved after ");
    assertThat(out.toString()).contains("files keeps a way back: ", "users keeps a way back: ");
    assertThat(execute("finish", "files")).as(err::toString).isZero();
    assertThat(execute("rollback", "users")).as(err::toString).isZero();
    assertThat(collection(status(), "files").get("phase").getAsString()).isEqualTo("new-only");
    assertThat(collection(status(), "users").get("phase").getAsString()).isEqualTo("legacy");
  }

  @Test
  void cutover_groupOfHosts_waitsIsTakenBackAndMoves() throws IOException {
    Files.writeString(
        folder.resolve("test.yaml"),
        Files.readString(folder.resolve("test.yaml"))
            + "groups: [{name: both, collections: [files, users]}]\n");
    startHost();
    for (String step : List.of("copy", "verify")) {
      assertThat(execute(step)).as(err::toString).isZero();
    }
    assertThat(execute("cutover", "--postpone", "--group", "both")).as(err::toString).isZero();
    assertThat(out.toString())
        .contains("files cutover: ready, and waits for 'cutover --go'")
        .contains("users cutover: takes part in the cutover of files");
    assertThat(execute("cutover", "--cancel", "--group", "both")).as(err::toString).isZero();
    assertThat(out.toString()).contains("collection files stays", "collection users stays");
    assertThat(execute("cutover", "--go", "--group", "both")).isEqualTo(ExitCode.REFUSED);
    assertThat(execute("cutover", "--cancel", "--group", "both")).isEqualTo(ExitCode.REFUSED);

    assertThat(execute("cutover", "--postpone", "--group", "both")).as(err::toString).isZero();
    assertThat(execute("step", "legacy", "users")).as(err::toString).isZero();
    assertThat(execute("cutover", "--go", "--group", "both")).as(err::toString).isZero();
    until("it has failed", () -> cutover("files").get("status").getAsString().equals("failed"));
    assertThat(cutover("files").get("reason").getAsString())
        .startsWith("collection users takes part in the cutover of its group no more");
    assertThat(cutover("files").get("failure").getAsString()).isEqualTo("refused");
    for (String name : List.of("files", "users")) {
      assertThat(collection(status(), name).get("phase").getAsString()).isEqualTo("legacy");
    }

    assertThat(execute("cutover", "--final", "--group", "both")).as(err::toString).isZero();
    assertThat(out.toString())
        .contains("files cutover: moved after ", "users cutover: moved after ");
    for (String name : List.of("files", "users")) {
      assertThat(collection(status(), name).get("phase").getAsString()).isEqualTo("new-only");
      until("nobody leads it", () -> lead(name).equals("done"));
    }
  }

  @Test
  void cutover_postponedWithoutHosts_waitsInTheCommandAndForTheNext() throws InterruptedException {
    for (String step : List.of("copy", "verify")) {
      assertThat(execute(step, "files")).as(err::toString).isZero();
    }
    Thread first = postpone();
    until("it is ready", () -> isReady("files"));
    end(first);
    assertThat(collection(status(), "files").get("phase").getAsString()).isEqualTo("legacy");

    Thread second = postpone();
    until("it is ready again", () -> !hosts(status()).isEmpty() && isReady("files"));
    assertThat(execute("cutover", "--go", "files")).as(err::toString).isZero();
    second.join();
    assertThat(err.toString()).doesNotContain("no host runs any more");
    assertThat(collection(status(), "files").get("phase").getAsString()).isEqualTo("new-only");
  }

  @Test
  void cutover_contradictingOptions_isRefused() {
    for (String other : List.of("--cancel", "--final", "--postpone", "--at=03:30")) {
      assertThat(execute("cutover", "--go", other, "files")).isEqualTo(ExitCode.USAGE);
    }
    assertThat(err.toString()).contains("--go and --cancel change nothing else about a cutover");
  }

  private Thread postpone() {
    Thread command =
        new Thread(
            () -> commandLine(out, err).execute(args("cutover", "--postpone", "--final", "files")));
    command.start();
    return command;
  }

  private boolean isReady(String collection) {
    JsonObject found = collection(status(), collection);
    for (JsonElement task : found.getAsJsonArray("tasks")) {
      if (task.getAsJsonObject().get("task").getAsString().equals("cutover")) {
        return task.getAsJsonObject().get("note").getAsString().startsWith("ready, and waits");
      }
    }
    return false;
  }

  private JsonObject cutover(String collection) {
    return task(collection(status(), collection), "cutover");
  }

  @Test
  void next_timeOfTheDay_isTodayOrTomorrow() {
    ZonedDateTime noon = ZonedDateTime.parse("2026-11-28T12:00:00+01:00");

    assertThat(CutoverCommand.next("12:30", noon)).isEqualTo(Instant.parse("2026-11-28T11:30:00Z"));
    assertThat(CutoverCommand.next("12:00", noon)).isEqualTo(Instant.parse("2026-11-29T11:00:00Z"));
    assertThat(CutoverCommand.next("03:30", noon)).isEqualTo(Instant.parse("2026-11-29T02:30:00Z"));
    assertThatThrownBy(() -> CutoverCommand.next("night", noon))
        .hasMessage("'night' is no time of a day: give HH:MM, such as 03:30");
  }

  @Test
  void pause_collection_isLeftAloneUntilResumed() {
    startHost();
    assertThat(execute("stream")).as(err::toString).isZero();

    assertThat(execute("pause", "files")).isZero();
    until("files is left", () -> lead("files").equals("wanted"));
    assertThat(lead("users")).isEqualTo("running");
    assertThat(collection(status(), "files").get("paused").getAsBoolean()).isTrue();
    assertThat(execute("copy", "files")).isEqualTo(ExitCode.LEFT);
    assertThat(err.toString()).contains("collection files is paused: 'resume files'");

    assertThat(execute("resume", "files")).isZero();
    assertThat(execute("copy", "files")).as(err::toString).isZero();
  }

  @Test
  void verify_differentSides_exitsWithMismatch() {
    startHost();
    assertThat(execute("copy", "files")).as(err::toString).isZero();
    try (Store raw = MemoryStoreProvider.open("to-" + name)) {
      StoreCollection written = join(raw.open("files", LAYOUT, Claim.NONE));
      join(
          written.write(
              StoreKey.of(Bytes.utf8("key-7"), Bytes.empty()),
              Mutation.delete().withVersion(System.currentTimeMillis() * 1_000),
              Call.within(Duration.ofSeconds(10))));
    }

    assertThat(execute("verify", "files")).isEqualTo(ExitCode.MISMATCH);
    assertThat(out.toString()).contains("missing 1, extra 0");
  }

  @Test
  void copy_emptySource_failsForGoodAndNamesTheReason() {
    source.collection("empty", LAYOUT);
    replaceInFile("{name: users", "{name: empty");
    startHost();

    assertThat(execute("copy", "empty")).isEqualTo(ExitCode.REFUSED);

    assertThat(err.toString())
        .contains("migrate: lead of collection empty has failed: collection empty of ")
        .contains("holds nothing and never has");
    assertThat(execute("status", "empty")).isZero();
    assertThat(out.toString()).contains("task lead failed, failed 1 times: collection empty of ");
  }

  @Test
  void ask_unknownCollection_isRefused() {
    assertThat(execute("copy", "others")).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString())
        .contains("there is no collection others in the configuration: give one of files, users");
  }

  private void replaceInFile(String found, String replacement) {
    try {
      Path file = folder.resolve("test.yaml");
      Files.writeString(file, Files.readString(file).replace(found, replacement));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private String lead(String collection) {
    return task(collection(status(), collection), "lead").get("status").getAsString();
  }

  private long leadAttempt(String collection) {
    return task(collection(status(), collection), "lead").get("attempt").getAsLong();
  }

  private Thread startHost() {
    Thread host =
        new Thread(() -> commandLine(new StringWriter(), err).execute(args("host")), "host");
    long before = hosts(status()).size();
    host.start();
    hosts.add(host);
    until("the host has joined", () -> hosts(status()).size() == before + 1);
    return host;
  }

  private static void end(Thread host) throws InterruptedException {
    host.interrupt();
    host.join();
  }

  private JsonObject status() {
    StringWriter json = new StringWriter();
    assertThat(commandLine(json, err).execute(args("status", "--json"))).isZero();
    out.append(json.toString());
    return JsonParser.parseString(json.toString()).getAsJsonObject();
  }

  private static JsonArray hosts(JsonObject status) {
    return status.getAsJsonArray("hosts");
  }

  private static JsonObject collection(JsonObject status, String name) {
    return named(status.getAsJsonArray("collections"), "collection", name);
  }

  private static JsonObject task(JsonObject collection, String name) {
    return named(collection.getAsJsonArray("tasks"), "task", name);
  }

  private static JsonObject named(JsonArray array, String member, String value) {
    for (JsonElement element : array) {
      if (element.getAsJsonObject().get(member).getAsString().equals(value)) {
        return element.getAsJsonObject();
      }
    }
    throw new AssertionError(value + " is not in " + array);
  }

  private int execute(String... arguments) {
    return commandLine(out, err).execute(args(arguments));
  }

  private String[] args(String... arguments) {
    List<String> all = new ArrayList<>();
    all.addAll(Arrays.asList(arguments));
    all.add("--config=" + folder.resolve("test.yaml"));
    return all.toArray(new String[0]);
  }

  private static CommandLine commandLine(StringWriter out, StringWriter err) {
    return MigrateCommand.commandLine()
        .setOut(new PrintWriter(out, true))
        .setErr(new PrintWriter(err, true));
  }
}
