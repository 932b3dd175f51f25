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
import dev.kvshift.api.WriteOptions;
import dev.kvshift.embedded.KafkaBroker;
import dev.kvshift.memory.InMemory;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.QuarantinedKeys;
import dev.kvshift.migrate.internal.stream.TopicRecord;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What people ask before and during a migration: check, plan, explain. */
final class PreflightCommandsTest {
  private static final Layout LAYOUT = Layout.point();
  private static final int ROWS = 200;

  private final String name = UUID.randomUUID().toString();
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private final KvStore source = InMemory.store("from-" + name);
  private final KvStore target = InMemory.store("to-" + name);

  @TempDir private Path folder;

  @BeforeEach
  void fill() throws IOException {
    KvCollection files = source.collection("files", LAYOUT);
    for (int i = 0; i < ROWS; i++) {
      files.put(Key.of(Bytes.utf8("key-" + i)), Bytes.utf8("value-" + i));
    }
    configure(KafkaBroker.shared().bootstrapServers(), "");
  }

  @AfterEach
  void close() {
    source.close();
    target.close();
  }

  @Test
  void check_allIsWell_saysSoAndPreparesNothing() {
    assertThat(execute("check")).as(err::toString).isZero();

    assertThat(out.toString())
        .startsWith("files: nothing blocks it\n")
        .contains("  ok  old store: memory://from-" + name + ": phase legacy, changes 1 to 200\n")
        .contains("  ok  new store: memory://to-" + name + ": it has no such collection yet\n")
        .contains("  ok  permission to write records: a record was written and removed\n")
        .contains("  warning  broker: ", "      do: use three brokers and 'replication: 3'\n")
        .contains("  ok  lives: nothing is prepared yet\n");
    try (Store raw = MemoryStoreProvider.open("to-" + name)) {
      assertThat(join(raw.metadata().list("migration/", "", 10))).isEmpty();
      assertThat(join(raw.metadata().list("check/", "", 10))).isEmpty();
    }
  }

  @Test
  void check_targetIsInUseAndBrokerIsAway_namesBoth() throws IOException {
    target.collection("files", LAYOUT).put(Key.of(Bytes.utf8("a")), Bytes.utf8("b"));
    configure("127.0.0.1:1", "patienceSeconds: 1, replication: 2");

    assertThat(execute("check", "--json")).isEqualTo(ExitCode.REFUSED);

    JsonObject checked = only();
    assertThat(checked.get("blocked").getAsBoolean()).isTrue();
    assertThat(finding(checked, "new store").get("level").getAsString()).isEqualTo("blocker");
    assertThat(finding(checked, "new store").get("evidence").getAsString())
        .contains("services use the collection there, and no migration has filled it");
    assertThat(finding(checked, "broker").get("evidence").getAsString())
        .contains("the broker at 127.0.0.1:1 does not answer: ");
    assertThat(finding(checked, "broker").get("level").getAsString()).isEqualTo("blocker");
    assertThat(finding(checked, "broker").get("do").getAsString())
        .isEqualTo("fix that, and check again");
  }

  @Test
  void check_preparedWithAnotherTarget_isBlocked() throws IOException {
    assertThat(execute("prepare")).as(err::toString).isZero();
    String file = Files.readString(file());
    Files.writeString(file(), file.replace("memory://to-", "memory://other-"));

    assertThat(execute("check", "--json")).isEqualTo(ExitCode.REFUSED);

    assertThat(finding(only(), "lives").get("risk").getAsString())
        .isEqualTo("another target is being filled from this collection");
  }

  @Test
  void plan_wholeSample_countsExactly() {
    assertThat(execute("plan", "--json", "--sample=10000", "--watch-seconds=1"))
        .as(err::toString)
        .isZero();

    JsonObject planned = only();
    assertThat(planned.get("rows").getAsLong()).isEqualTo(ROWS);
    assertThat(planned.get("sampledTasks")).isEqualTo(planned.get("tasks"));
    assertThat(planned.get("largestValueBytes").getAsInt()).isEqualTo("value-199".length());
    long bytes = planned.get("bytes").getAsLong();
    assertThat(bytes).isEqualTo(10 * 12 + 90 * 14 + 100 * 16);
    assertThat(planned.get("targetBytes").getAsLong()).isEqualTo((bytes + ROWS * 40) * 3);
    assertThat(finding(planned, "value size").get("level").getAsString()).isEqualTo("ok");
    assertThat(execute("plan", "--watch-seconds=1", "--price=0.5")).isZero();
    assertThat(out.toString())
        .contains("  size: about ", "  time: the copy takes about 0:00 h", "  cost: ")
        .contains(
            "  method: run --way fence\n", "      none of ", " rows expires: all are copied\n");
  }

  @Test
  void plan_rowsThatExpire_recommendsByTheirLivesAndTheRest() {
    KvCollection files = source.collection("files", LAYOUT);
    for (int i = 1; i < ROWS; i++) {
      files.put(
          Key.of(Bytes.utf8("key-" + i)),
          Bytes.utf8("expires"),
          WriteOptions.ttl(Duration.ofHours(20).minusMinutes(i)));
    }
    JsonObject mixed = recommended();
    assertThat(mixed.get("leaveToExpireHours").getAsInt()).isZero();
    assertThat(mixed.get("reasons").toString())
        .contains("1 of 200 sampled rows never expire: all are copied");

    files.delete(Key.of(Bytes.utf8("key-0")));
    JsonObject expiring = recommended();
    assertThat(expiring.get("way").getAsString()).isEqualTo("fence");
    assertThat(expiring.get("leaveToExpireHours").getAsInt()).isEqualTo(20);
    assertThat(expiring.get("reasons").toString())
        .contains(
            "all of 199 sampled rows expire, within 20 h: the new store has them all by then without"
                + " a copy");

    files.put(
        Key.of(Bytes.utf8("key-0")), Bytes.utf8("long"), WriteOptions.ttl(Duration.ofDays(90)));
    JsonObject longLived = recommended();
    assertThat(longLived.get("leaveToExpireHours").getAsInt()).isZero();
    assertThat(longLived.get("reasons").toString())
        .contains("within 2,160 h: a copy of all takes less than that wait");
  }

  private JsonObject recommended() {
    assertThat(execute("plan", "--json", "--sample=10000", "--watch-seconds=1"))
        .as(err::toString)
        .isZero();
    return only().getAsJsonObject("method");
  }

  @Test
  void explain_copiedChangedAndAltered_namesTheRule() {
    assertThat(execute("copy")).as(err::toString).isZero();
    assertThat(explain("key-7")).isZero();
    assertThat(out.toString())
        .contains("rule: the topic has no change of the key, so the copied row counts\n")
        .contains("verdict: both sides agree\n");

    source.collection("files", LAYOUT).put(Key.of(Bytes.utf8("key-7")), Bytes.utf8("new"));
    assertThat(explain("key-7")).isEqualTo(ExitCode.MISMATCH);
    assertThat(out.toString()).contains("verdict: they differ: the row is not copied or streamed");
    assertThat(execute("copy")).as(err::toString).isZero();
    assertThat(explain("0x" + Bytes.utf8("key-7"))).isZero();
    assertThat(out.toString())
        .contains("change at position 201 (partition ", "): 3 bytes, version ")
        .contains(", of the change at position 201\n");

    try (Store raw = MemoryStoreProvider.open("to-" + name)) {
      join(
          join(raw.open("files", LAYOUT, Claim.NONE))
              .write(
                  StoreKey.of(Bytes.utf8("key-7"), Bytes.empty()),
                  Mutation.put(Bytes.utf8("foreign"))
                      .withVersion(System.currentTimeMillis() * 1_000),
                  Call.within(Duration.ofSeconds(10))));
    }
    assertThat(explain("key-7")).isEqualTo(ExitCode.MISMATCH);
    assertThat(out.toString()).contains("so something else has written there");
  }

  @Test
  void reset_dryRunAndThenForReal_listsWhatItDeletes() {
    assertThat(execute("reset")).isEqualTo(ExitCode.REFUSED);
    assertThat(err.toString()).contains("files is not prepared, so there is nothing to wipe");
    assertThat(execute("copy")).as(err::toString).isZero();
    assertThat(execute("dead-letters", "list")).isZero();
    assertThat(out.toString()).isEmpty();

    assertThat(execute("reset", "--dry-run")).as(err::toString).isZero();
    assertThat(out.toString())
        .startsWith("would delete incarnation 1 of the collection on the target\n");
    assertThat(explain("key-7")).isZero();

    assertThat(execute("reset")).as(err::toString).isZero();
    assertThat(out.toString())
        .contains("deleted topic kvshift.files.1.", "deleted the records of progress\n");
    assertThat(execute("retire")).isEqualTo(ExitCode.REFUSED);
    assertThat(err.toString()).contains("it is in phase legacy, and has not moved");
    assertThat(execute("abort")).as(err::toString).isZero();
    assertThat(execute("status")).isZero();
    assertThat(out.toString()).contains("not prepared", "\"what\":\"abort\"");
    assertThat(execute("set", "--scan-rows-per-second=7")).isEqualTo(ExitCode.USAGE);
    assertThat(execute("set", "--scan-rows-per-second=500")).isZero();
  }

  @Test
  void drop_quarantinedKey_asksForYesAndIsShownByTheCertificate() throws IOException {
    assertThat(execute("copy")).as(err::toString).isZero();
    StoreKey key = StoreKey.of(Bytes.utf8("key-7"), Bytes.empty());
    Bytes topicKey = TopicRecord.printKey(key);
    String digest = QuarantinedKeys.digest(topicKey);
    try (Store to = MemoryStoreProvider.open("to-" + name);
        Store from = MemoryStoreProvider.open("from-" + name)) {
      Call call = Call.within(Duration.ofSeconds(10));
      Row lost = join(join(from.open("files", LAYOUT, Claim.NONE)).get(key, call));
      StoreCollection files = join(to.open("files", LAYOUT, Claim.NONE));
      join(files.write(key, Mutation.delete().withVersion(lost.version() + 1), call));
      new QuarantinedKeys(
              new Ledger(to.metadata(), "files", Duration.ofSeconds(5), Clock.systemUTC()))
          .add(topicKey, lost.version(), "too large", 0);
    }
    assertThat(deadLetters("list", "files")).isZero();
    assertThat(out.toString()).isEqualTo(digest + " main=6b65792d37: too large\n");
    assertThat(deadLetters("drop", "files", "1234")).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString()).contains("'1234' is no digest of a key");
    assertThat(deadLetters("drop", "files", "0".repeat(64))).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString()).contains("no quarantined key has digest 0000");
    assertThat(deadLetters("drop", "files", digest)).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString())
        .contains("the newest rows of 1 keys of collection files would be lost for good: look at");
    assertThat(deadLetters("drop", "files", digest.substring(0, 8), "--dry-run")).isZero();
    assertThat(out.toString()).isEqualTo("would drop " + digest + " main=6b65792d37: too large\n");
    assertThat(execute("verify")).isEqualTo(ExitCode.MISMATCH);

    assertThat(deadLetters("drop", "files", digest, "--yes", "--json")).as(err::toString).isZero();

    assertThat(out.toString())
        .startsWith("{\"digest\":\"" + digest + "\",\"key\":\"main=6b65792d37\",\"version\":")
        .endsWith(",\"reason\":\"too large\"}\n");
    assertThat(execute("status")).isZero();
    assertThat(out.toString()).contains("quarantine: 0 keys\naccepted losses: 1 keys\n");
    assertThat(explain("key-7")).isEqualTo(ExitCode.MISMATCH);
    assertThat(out.toString()).contains("verdict: they differ: ", " of the old store is lost\n");
    assertThat(execute("verify")).as(err::toString).isZero();
    configure(KafkaBroker.shared().bootstrapServers(), "dwellSeconds: 0");
    assertThat(execute("cutover", "--give-up=unnamed")).isEqualTo(ExitCode.REFUSED);
    assertThat(err.toString())
        .contains("since there would be no way back: 1 keys were accepted as lost")
        .endsWith("; or give --final to move for good\n");
    assertThat(execute("cutover", "--final", "--give-up=unnamed")).as(err::toString).isZero();
    assertThat(execute("certificate")).isZero();
    Path certificate = Files.writeString(folder.resolve("certificate.json"), out.toString());
    out.getBuffer().setLength(0);
    assertThat(command("verify-certificate", certificate.toString())).isZero();
    assertThat(out.toString())
        .endsWith(
            "accepted losses: 1 keys, whose newest row the new store did not have; their digests:\n"
                + ("  " + digest + "\n"));
  }

  private int deadLetters(String... words) {
    out.getBuffer().setLength(0);
    String[] arguments = Arrays.copyOf(words, words.length + 1);
    arguments[words.length] = "--config=" + file();
    String[] all = new String[arguments.length + 1];
    all[0] = "dead-letters";
    System.arraycopy(arguments, 0, all, 1, arguments.length);
    return command(all);
  }

  private int command(String... arguments) {
    return MigrateCommand.commandLine()
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(arguments);
  }

  private int explain(String key) {
    out.getBuffer().setLength(0);
    return command("explain", "files", key, "--config=" + file());
  }

  private JsonObject only() {
    return JsonParser.parseString(out.toString())
        .getAsJsonObject()
        .getAsJsonArray("collections")
        .get(0)
        .getAsJsonObject();
  }

  private static JsonObject finding(JsonObject checked, String what) {
    for (var each : checked.getAsJsonArray("findings")) {
      if (each.getAsJsonObject().get("what").getAsString().equals(what)) {
        return each.getAsJsonObject();
      }
    }
    throw new AssertionError(what + " is not in " + checked);
  }

  private Path file() {
    return folder.resolve("test.yaml");
  }

  private void configure(String broker, String options) throws IOException {
    Files.writeString(
        file(),
        """
        source: memory://from-NAME
        target: memory://to-NAME
        kafka: {bootstrap: 'BROKER'}
        collections:
          - {name: files, layout: 'point;shard=none;encoding=1'OPTIONS}
        """
            .replace("NAME", name)
            .replace("BROKER", broker)
            .replace("OPTIONS", options.isEmpty() ? "" : ", " + options));
  }

  private int execute(String command, String... more) {
    out.getBuffer().setLength(0);
    String[] arguments = new String[more.length + 3];
    arguments[0] = command;
    System.arraycopy(more, 0, arguments, 1, more.length);
    arguments[more.length + 1] = "--config=" + file();
    arguments[more.length + 2] = "files";
    return command(arguments);
  }
}
