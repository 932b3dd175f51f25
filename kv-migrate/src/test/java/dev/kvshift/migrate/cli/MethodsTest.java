package dev.kvshift.migrate.cli;

import static dev.kvshift.testkit.concurrent.Await.join;
import static dev.kvshift.testkit.concurrent.Await.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Lock;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.embedded.ForkedLegacyServer;
import dev.kvshift.embedded.KafkaBroker;
import dev.kvshift.migrate.IdListProvider;
import dev.kvshift.model.Stores;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The migrations of docs/methods.md on real servers: each block of commands, as it is printed. */
final class MethodsTest {
  private static final String DOCUMENT = "methods.md";
  private static final Layout POINT = Layout.point();
  private static final Layout RANGE = Layout.parse("range;shard=bits=4;encoding=1");
  private static final Duration LIFE = Duration.ofSeconds(2);
  private static final int ROWS = 20;

  private static ForkedLegacyServer legacy;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private final String oldSide = Keyspaces.string("methods_old");
  private final String newSide = Keyspaces.string("methods_new");
  private Iterator<List<String>> commands = List.<List<String>>of().iterator();

  @TempDir private Path folder;

  @BeforeAll
  static void startLegacy() {
    legacy = ForkedLegacyServer.start();
  }

  @AfterAll
  static void stopLegacy() {
    legacy.close();
  }

  @AfterEach
  void everyCommandWasRun() {
    assertThat(commands).isExhausted();
  }

  @Test
  void leaderAndLocks_severalCollections_moveTogetherAndTheLocksLast() throws IOException {
    begin("An in-house store with a leader");
    configure(
        legacy.connectionString(),
        newSide,
        "}\ngroups: [{name: lab, collections: [users, hits]}]",
        "users: point;shard=none;encoding=1",
        "hits: " + RANGE);
    try (KvStore service = Stores.connect(legacy.connectionString())) {
      for (int i = 0; i < ROWS; i++) {
        service.collection("users", POINT).put(key(i), text("user"));
        service.collection("hits", RANGE).put(hit(i), text("hit"));
      }
      service.locks("jobs").release(lock(service));
    }
    run("run users hits", ExitCode.OK);
    run("cutover --group lab", ExitCode.OK);
    run("finish users hits", ExitCode.OK);
    run("move-locks jobs", ExitCode.OK);
    run("retire users", ExitCode.REFUSED);
    assertThat(err.toString()).contains("the quiet period lasts until");
    try (KvStore service = Stores.connect(newSide)) {
      for (int i = 0; i < ROWS; i++) {
        assertThat(service.collection("users", POINT).get(key(i))).contains(text("user"));
        assertThat(service.collection("hits", RANGE).get(hit(i))).contains(text("hit"));
      }
      service.locks("jobs").release(lock(service));
    }
  }

  @Test
  void withoutALeader_expiringAndOldData_needNoCopyOfTheirOwn() throws IOException {
    begin("An inbox");
    configure(oldSide, newSide, "}", "presence: " + POINT, "messages: " + POINT);
    try (KvStore before = Stores.connect(oldSide)) {
      before.collection("presence", POINT).put(key(0), text("away"), WriteOptions.ttl(LIFE));
      for (int i = 0; i < ROWS; i++) {
        before.collection("messages", POINT).put(key(i), text("old"));
      }
    }
    try (KvStore service = Stores.connect(transition(oldSide, newSide))) {
      KvCollection presence = service.collection("presence", POINT);
      run("prepare presence", ExitCode.OK);
      run("step dual-write presence", ExitCode.OK);
      presence.put(key(1), text("here"), WriteOptions.ttl(Duration.ofHours(1)));
      until("one life of the data has passed", () -> presence.get(key(0)).isEmpty());
      run("verify presence", ExitCode.OK);
      run("verify presence", ExitCode.OK);
      assertThat(out.toString()).contains(" 0 written to the new side, 0 written to the old side");
      run("run --cutover presence", ExitCode.OK);
      run("finish presence", ExitCode.OK);
      assertThat(presence.get(key(1))).contains(text("here"));

      KvCollection messages = service.collection("messages", POINT);
      run("prepare messages", ExitCode.OK);
      run("step new-read messages", ExitCode.OK);
      for (int i = 0; i < 5; i++) {
        assertThat(messages.get(key(i))).contains(text("old"));
      }
      messages.put(key(ROWS), text("new"));
      list("rooms-2026-11.txt", 19, 18, 17);
      run("backfill messages rooms-2026-11.txt", ExitCode.OK);
      assertThat(out.toString())
          .contains(
              "3 of 3 keys, 0 without rows; ", " 3 written to the new side, 0 to the old side");
      list("rooms-2026-10.txt", 16, 4, 15);
      run("backfill messages rooms-2026-10.txt", ExitCode.OK);
      assertThat(out.toString()).contains(" 2 written to the new side, ", "; 0 keys differ");
      assertThat(messages.get(key(18))).contains(text("old"));
      run("verify messages", ExitCode.OK);
      assertThat(out.toString()).contains((ROWS - 5 - 5) + " written to the new side");
      run("run --cutover messages", ExitCode.OK);
      run("finish messages", ExitCode.OK);
      assertThat(messages.get(key(ROWS - 1))).contains(text("old"));
    }
  }

  @Test
  void wayOut_toAStoreWithALeader_itLeadsInTheEnd() throws IOException {
    begin("Back to a store with a leader");
    String led = legacy.connectionString();
    configure(oldSide, led, "}", "chats: " + POINT);
    try (KvStore before = Stores.connect(oldSide)) {
      fill(before.collection("chats", POINT));
    }
    assertThat(execute("prepare", "chats")).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString()).contains("add records=kept to a legacy:// string");
    configure(oldSide, led + "?records=kept", "}", "chats: " + POINT);
    try (KvStore service = Stores.connect(transition(oldSide, led + "?records=kept"));
        KvStore after = Stores.connect(led)) {
      run("prepare chats", ExitCode.OK);
      KvCollection chats = service.collection("chats", POINT);
      run("run --cutover chats", ExitCode.OK);
      chats.put(key(1), text("on the legacy store alone"));
      chats.delete(key(2));
      assertThatThrownBy(() -> after.collection("chats", POINT))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("is being filled by a migration");
      run("rollback chats", ExitCode.OK);
      assertThat(chats.get(key(1))).contains(text("on the legacy store alone"));
      assertThat(chats.get(key(2))).isEmpty();
      run("run --cutover chats", ExitCode.OK);
      run("finish chats", ExitCode.OK);
      chats.put(key(3), text("by a clock"));
      KvCollection own = after.collection("chats", POINT);
      own.put(key(3), text("by the leader"));
      assertThat(chats.get(key(3))).contains(text("by the leader"));
      assertThat(own.get(key(0))).contains(text("row"));
      assertThat(own.get(key(1))).contains(text("on the legacy store alone"));
      assertThat(own.get(key(2))).isEmpty();
    }
  }

  @Test
  void entityByEntity_listedMonths_areCopiedInTheirOrderAndTheRestByTheRun() throws IOException {
    begin("Entity by entity");
    configure(legacy.connectionString(), newSide, "}", "rooms: " + RANGE);
    try (KvStore service = Stores.connect(legacy.connectionString())) {
      KvCollection rooms = service.collection("rooms", RANGE);
      for (int i = 0; i < ROWS; i++) {
        rooms.put(hit(i), text("message"));
      }
      Files.writeString(
          folder.resolve("rooms-2026-11.txt"), "0x" + Bytes.utf8("user-1").toHex() + "\n");
      Files.writeString(
          folder.resolve("rooms-2026-10.txt"), "0x" + Bytes.utf8("user-9").toHex() + "\n");
      run("prepare rooms", ExitCode.OK);
      run("backfill rooms rooms-2026-11.txt", ExitCode.OK);
      assertThat(out.toString()).contains("1 of 1 keys, 0 without rows; 3 rows read, 3 written to");
      run("backfill rooms rooms-2026-10.txt", ExitCode.OK);
      assertThat(out.toString()).contains("1 of 1 keys, 1 without rows; 0 rows read, ");
      run("run --cutover rooms", ExitCode.OK);
      run("finish rooms", ExitCode.OK);
    }
    try (KvStore service = Stores.connect(newSide)) {
      assertThat(service.collection("rooms", RANGE).get(hit(0))).contains(text("message"));
    }
  }

  @Test
  void snapshot_ofTheRunningServersFolder_isCopiedAndTheComparisonIsWithTheServer()
      throws IOException {
    begin("From a snapshot");
    String live = legacy.connectionString();
    configure(live, newSide, "}", "logs: " + RANGE);
    try (KvStore service = Stores.connect(live)) {
      KvCollection logs = service.collection("logs", RANGE);
      for (int i = 0; i < ROWS; i++) {
        logs.put(hit(i), text("log"));
      }
      run("prepare logs", ExitCode.OK);
      logs.put(hit(ROWS), text("before the snapshot"));
      snapshot(legacy.folder().resolve("data"), folder.resolve("clone/data"));
      logs.put(hit(1), text("since"));
      logs.delete(hit(2));
      try (ForkedLegacyServer clone =
          ForkedLegacyServer.builder().folder(folder.resolve("clone")).start()) {
        String copyFrom = clone.connectionString();
        configure(live, newSide, ", copyFrom: '" + copyFrom + "'}", "logs: " + RANGE);
        run("check logs", ExitCode.OK);
        assertThat(out.toString())
            .contains("snapshot: " + copyFrom + " at position 21, after the stream began at 20");
        run("copy logs", ExitCode.OK);
        assertThat(out.toString())
            .contains("21 rows read", ", from a snapshot at position 21, " + copyFrom);
        run("run --cutover logs", ExitCode.OK);
      }
      run("finish logs", ExitCode.OK);
    }
    try (KvStore service = Stores.connect(newSide)) {
      KvCollection logs = service.collection("logs", RANGE);
      assertThat(logs.get(hit(0))).contains(text("log"));
      assertThat(logs.get(hit(1))).contains(text("since"));
      assertThat(logs.get(hit(2))).isEmpty();
      assertThat(logs.get(hit(ROWS))).contains(text("before the snapshot"));
    }
  }

  /** Copies the folder of the running server in one instant, as a snapshot of its volume does. */
  private static void snapshot(Path data, Path copy) throws IOException {
    legacy.pause();
    try (Stream<Path> files = Files.walk(data)) {
      for (Path file : files.toList()) {
        Path to = copy.resolve(data.relativize(file).toString());
        Files.createDirectories(to.getParent());
        Files.copy(file, to);
      }
    } finally {
      legacy.resume();
    }
  }

  @Test
  void changeLog_mappedToAnotherModel_readsByStepsAndTheNewStoreFirst_thenAlone()
      throws IOException {
    begin("A relational store through its log");
    String led = legacy.connectionString();
    try (KvStore service = Stores.connect(transition(led, newSide + "&mapping=boards-1"))) {
      configure(led, newSide + "&mapping=boards-1", "}", "boards: " + POINT);
      fill(service.collection("boards", POINT));
      run("run --way dual-write boards", ExitCode.OK);
      assertThat(execute("cutover", "boards")).isEqualTo(ExitCode.REFUSED);
      assertThat(err.toString())
          .contains("does not compare the values of collection boards", "give --final");
    }
    assertThat(held("boards-1", "bord:key-0")).isEqualTo(text("v1:row"));
    run("rollback boards", ExitCode.OK);
    String mended = newSide + "&mapping=boards-2";
    configure(led, mended, "}", "boards: " + POINT);
    run("reset boards", ExitCode.OK);
    try (KvStore service = Stores.connect(transition(led, mended))) {
      KvCollection boards = service.collection("boards", POINT);
      run("run --way dual-write boards", ExitCode.OK);
      boards.put(key(1), text("in new-primary"));
      run("step dual-write boards", ExitCode.OK);
      boards.put(key(2), text("back again"));
      run("step new-primary boards", ExitCode.OK);
      run("cutover boards", ExitCode.OK);
      boards.put(key(3), text("the new store first"));
      run("finish boards", ExitCode.OK);
      boards.put(key(4), text("alone"));
      assertThat(boards.get(key(0))).contains(text("row"));
      assertThat(boards.get(key(1))).contains(text("in new-primary"));
      assertThat(boards.get(key(2))).contains(text("back again"));
      assertThat(boards.get(key(3))).contains(text("the new store first"));
      assertThat(boards.get(key(4))).contains(text("alone"));
    }
    assertThat(held("boards-2", "board:key-0")).isEqualTo(text("v2:row"));
    assertThat(held("boards-2", "board:key-4")).isEqualTo(text("v2:alone"));
    assertThat(execute("certificate", "boards")).isEqualTo(ExitCode.OK);
    assertThat(out.toString()).contains("\"layout\":\"" + POINT + ";mapping=boards-2\"");
  }

  /** Reads what the new side holds in place of an entry. */
  private Bytes held(String mapping, String main) {
    try (Store store = Stores.open(newSide)) {
      StoreCollection boards = join(store.open("boards", POINT.withMapping(mapping), Claim.NONE));
      StoreKey key = StoreKey.of(Bytes.utf8(main), Bytes.empty());
      return join(boards.get(key, Call.within(Duration.ofSeconds(10)))).value();
    }
  }

  @Test
  void listOfIds_clusterThatCanOnlyGet_isMovedAsFarAsTheListGoes() throws IOException {
    begin("Sessions behind an API");
    try (KvStore before = Stores.connect(oldSide)) {
      fill(before.collection("sessions", POINT));
    }
    List<String> ids = new ArrayList<>(List.of("deleted since the list was made"));
    for (int i = 1; i < ROWS; i++) {
      ids.add("key-" + i);
    }
    String source =
        ConnectionString.of("idlist")
            .withPath(Files.write(folder.resolve("ids"), ids).toString())
            .withParameters(
                Map.of("cluster", oldSide, "authority", "legacy+file://" + folder.resolve("gate")))
            .print();
    installDriver();
    configure(
        source, newSide, ", workers: 10, inFlight: 200}\nplugins: plugins", "sessions: " + POINT);
    run("run sessions", ExitCode.OK);
    run("cutover --final sessions", ExitCode.OK);
    try (KvStore service = Stores.connect(newSide)) {
      KvCollection sessions = service.collection("sessions", POINT);
      assertThat(sessions.get(key(0))).isEmpty();
      for (int i = 1; i < ROWS; i++) {
        assertThat(sessions.get(key(i))).contains(text("row"));
      }
    }
  }

  @Test
  void expiringData_notCopied_movesOnceTheComparisonMissesNothing() throws IOException {
    begin("Data that expires");
    configure(legacy.connectionString(), newSide, ", leaveToExpireHours: 48}", "carts: " + POINT);
    try (KvStore service = Stores.connect(legacy.connectionString())) {
      KvCollection carts = service.collection("carts", POINT);
      for (int i = 0; i < ROWS; i++) {
        carts.put(
            key(i), text("expires"), WriteOptions.ttl(Duration.ofHours(i < ROWS - 1 ? 1 : 50)));
      }
      run("copy carts", ExitCode.OK);
      assertThat(out.toString()).contains(" 1 written ", " + 19 left to expire, the last at ");
      for (int i = 0; i < ROWS - 1; i++) {
        carts.put(key(i), text("written again"), WriteOptions.ttl(Duration.ofHours(1)));
      }
      run("verify carts", ExitCode.OK);
      assertThat(out.toString()).contains("20 at the target; missing 0");
    }
    run("run --cutover carts", ExitCode.OK);
    run("finish carts", ExitCode.OK);
    try (KvStore service = Stores.connect(newSide)) {
      KvCollection carts = service.collection("carts", POINT);
      assertThat(carts.get(key(0))).contains(text("written again"));
      assertThat(carts.get(key(ROWS - 1))).contains(text("expires"));
    }
  }

  @Test
  void faultFound_wipedAndStartedOver_readsFallBackUntilNothingIsMissed() throws IOException {
    begin("Devices");
    try (KvStore service = Stores.connect(transition(legacy.connectionString(), newSide))) {
      configure(legacy.connectionString(), newSide, "}", "devices: " + POINT);
      KvCollection devices = service.collection("devices", POINT);
      fill(devices);
      devices.put(key(ROWS), text("expires"), WriteOptions.ttl(Duration.ofHours(1)));
      run("copy devices", ExitCode.OK);
      run("reset devices", ExitCode.OK);
      devices.delete(key(0));
      run("run --way dual-write devices", ExitCode.OK);
      assertThat(devices.get(key(0))).isEmpty();
      assertThat(devices.get(key(1))).contains(text("row"));
      run("fleet devices", ExitCode.OK);
      assertThat(out.toString()).contains(" 0 miss-hits, ", " 0 different");
      run("rollback devices", ExitCode.OK);
      devices.put(key(1), text("at the old store alone"));
      run("run --way dual-write --cutover devices", ExitCode.OK);
      run("finish devices", ExitCode.OK);
      assertThat(devices.get(key(0))).isEmpty();
      assertThat(devices.get(key(1))).contains(text("at the old store alone"));
      assertThat(devices.get(key(ROWS))).contains(text("expires"));
    }
  }

  /** Writes a list of main keys into the folder, from which commands take their files. */
  private void list(String file, int... keys) throws IOException {
    StringBuilder lines = new StringBuilder();
    for (int key : keys) {
      lines.append("0x").append(key(key).main().toHex()).append('\n');
    }
    Files.writeString(folder.resolve(file), lines);
  }

  private static void fill(KvCollection collection) {
    for (int i = 0; i < ROWS; i++) {
      collection.put(key(i), text("row"));
    }
  }

  private static Key key(int number) {
    return Key.of(Bytes.utf8("key-" + number));
  }

  private static Key hit(int number) {
    return Key.of(Bytes.utf8("user-" + number % 7), Bytes.utf8("hit-" + number));
  }

  private static Bytes text(String text) {
    return Bytes.utf8(text);
  }

  private static Lock lock(KvStore store) {
    return store
        .locks("jobs")
        .tryLockAll(Set.of(Bytes.utf8("job")), Duration.ofMinutes(1))
        .acquired()
        .iterator()
        .next();
  }

  private static String transition(String oldSide, String newSide) {
    return ConnectionString.of("transition")
        .withHosts(List.of(ConnectionString.Host.of("service")))
        .withParameters(Map.of("old", oldSide, "new", newSide))
        .print();
  }

  /** Puts a jar that names the driver, which is on the class path here, among the plugins. */
  private void installDriver() throws IOException {
    Path jar = Files.createDirectories(folder.resolve("plugins")).resolve("driver.jar");
    try (JarOutputStream entries = new JarOutputStream(Files.newOutputStream(jar))) {
      entries.putNextEntry(new JarEntry("META-INF/services/dev.kvshift.spi.StoreProvider"));
      entries.write(IdListProvider.class.getName().getBytes(StandardCharsets.UTF_8));
    }
  }

  /** Writes the configuration; the text ends the defaults, and may go on with other members. */
  private void configure(String source, String target, String more, String... collections)
      throws IOException {
    List<String> lines = new ArrayList<>();
    lines.add("source: '" + source + "'");
    lines.add("target: '" + target + "'");
    lines.add("kafka: {bootstrap: '" + KafkaBroker.shared().bootstrapServers() + "'}");
    lines.add("defaults: {dwellSeconds: 0, scanTasks: 4" + more);
    lines.add("collections:");
    for (String collection : collections) {
      int colon = collection.indexOf(':');
      lines.add("- name: " + collection.substring(0, colon));
      lines.add("  layout: '" + collection.substring(colon + 2) + "'");
    }
    Files.write(folder.resolve("migration.yaml"), lines);
  }

  private void begin(String heading) throws IOException {
    commands = DocumentedCommands.of(DOCUMENT, heading).iterator();
  }

  /** Runs the next command of the section, which must be this one. */
  private void run(String expected, int code) {
    List<String> command = new ArrayList<>(commands.next());
    assertThat(String.join(" ", command)).isEqualTo(expected);
    command.replaceAll(word -> word.endsWith(".txt") ? folder.resolve(word).toString() : word);
    out.getBuffer().setLength(0);
    assertThat(execute(command.toArray(new String[0])))
        .as("%s: %s%s", command, out, err)
        .isEqualTo(code);
  }

  private int execute(String... words) {
    List<String> command = new ArrayList<>(List.of(words));
    command.add("--config=" + folder.resolve("migration.yaml"));
    return MigrateCommand.commandLine()
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(command.toArray(new String[0]));
  }
}
