package dev.kvshift.migrate.cli;

import static dev.kvshift.testkit.concurrent.Await.join;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.kvshift.KvStore;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.embedded.ForkedLegacyServer;
import dev.kvshift.memory.InMemory;
import dev.kvshift.memory.MemoryOptions;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.memory.MovableClock;
import dev.kvshift.migrate.Preflight;
import dev.kvshift.migrate.api.Finding;
import dev.kvshift.model.Stores;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Store;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** What a connection string leads to, and what is wrong with it. */
final class CheckStoreCommandTest {
  private static final Layout RANGE = Layout.parse("range;shard=bits=8;encoding=1");
  private static final Copy COPY = Copy.draw("log-1");

  private final String name = UUID.randomUUID().toString();
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @Test
  void check_soundStore_saysWhatIsThereAndLeavesNothing() {
    try (KvStore store = InMemory.store(name);
        Store raw = MemoryStoreProvider.open(name)) {
      store.collection("files", RANGE);

      assertThat(execute("memory://" + name)).as(err::toString).isZero();

      assertThat(out.toString())
          .matches(
              """
              memory://%s: nothing is wrong
                ok  connection: open after \\d+ ms
                ok  server: memory of this process
                ok  clock: it is \\d+ ms (ahead of|behind) this machine's
                ok  permission to write: a record was written and removed
                ok  collection files: range;shard=bits=8;encoding=1, in use, never migrated to,\
               incarnation 1, phase legacy, used by 0 processes
              """
                  .formatted(name));
      assertThat(join(raw.metadata().list("check/", "", 10))).isEmpty();
    }
  }

  @Test
  void check_collectionIsImported_warnsAndSucceeds() {
    try (Store raw = MemoryStoreProvider.open(name)) {
      join(raw.open("files", RANGE, Claim.importing(COPY)));

      assertThat(execute("memory://" + name)).isZero();

      assertThat(out.toString())
          .contains("  warning  collection files: range;shard=bits=8;encoding=1, a migration fills")
          .contains("      risk: services cannot write to it through this connection\n")
          .contains("      do: connect through transition://");
    }
  }

  @Test
  void check_clockIsAnHourAhead_isRefused() {
    MovableClock clock = new MovableClock();
    clock.advance(Duration.ofHours(1));
    try (KvStore store = InMemory.store(name, MemoryOptions.defaults().withClock(clock))) {
      store.ping(Duration.ofSeconds(1));
      assertThat(execute("memory://" + name)).isEqualTo(ExitCode.REFUSED);
    }
    assertThat(out.toString())
        .startsWith("memory://" + name + ": something is wrong\n")
        .containsPattern(
            "  blocker  clock: it is 3,(600|599),\\d{3} ms ahead of this machine's, and 250")
        .contains("      do: synchronize the clocks of this machine and of the store\n");
  }

  @Test
  void checkStore_modelWithAnotherLayout_namesBoth() {
    try (KvStore store = InMemory.store(name);
        Store raw = MemoryStoreProvider.open(name)) {
      store.collection("files", RANGE);
      TreeMap<String, Optional<Layout>> named = new TreeMap<>();
      named.put("files", Optional.of(Layout.range(ShardRule.none())));
      named.put("new-ones", Optional.of(RANGE));

      assertThat(Preflight.checkStore(raw, named, true))
          .filteredOn(finding -> !finding.what().equals("clock"))
          .extracting(finding -> finding.level() + " " + finding.what() + ": " + finding.evidence())
          .containsExactly(
              "OK server: memory of this process",
              "OK permission to write: not asked for: access=read",
              "BLOCKER collection files: the store has the layout range;shard=bits=8;encoding=1,"
                  + " its model range;shard=none;encoding=1",
              "OK collection new-ones: does not exist yet: the first service that opens it creates"
                  + " it");
      assertThat(Finding.Level.BLOCKER.word()).isEqualTo("blocker");
    }
  }

  @Test
  void check_sidesOfTwoMigrations_areToldApart() {
    try (Store oldSide = MemoryStoreProvider.open("old-" + name);
        Store newSide = MemoryStoreProvider.open("new-" + name)) {
      join(oldSide.open("files", RANGE, Claim.ACTIVE));
      join(newSide.open("files", RANGE, Claim.importing(COPY)));
      String both =
          "transition://shop?old=memory%3A%2F%2Fold-" + name + "&new=memory%3A%2F%2Fnew-" + name;

      assertThat(execute(both, "--json")).isEqualTo(ExitCode.REFUSED);

      JsonObject json = JsonParser.parseString(out.toString()).getAsJsonObject();
      assertThat(json.getAsJsonArray("stores")).hasSize(3);
      JsonObject last = json.getAsJsonArray("stores").get(2).getAsJsonObject();
      assertThat(last.get("wrong").getAsBoolean()).isTrue();
      assertThat(last.getAsJsonArray("findings").get(0))
          .hasToString(
              "{\"level\":\"blocker\",\"what\":\"collection files\",\"evidence\":\"the old side"
                  + " names no copy, the new side holds copy "
                  + COPY
                  + "\",\"risk\":\"the two sides belong to different migrations: services would not"
                  + " be ready\",\"do\":\"correct the string of one side\"}");
    }
  }

  @Test
  void check_unknownHost_isOneLineAndUnavailable() {
    for (String string :
        new String[] {
          "legacy://no-such-host.invalid:7400?timeout=300ms",
          "scylla://no-such-host.invalid/shop?localDatacenter=dc1&timeout=300ms"
        }) {
      out.getBuffer().setLength(0);

      assertThat(execute(string)).as(string).isEqualTo(ExitCode.UNAVAILABLE);

      assertThat(out.toString())
          .hasLineCount(2)
          .startsWith(string + ": something is wrong\n")
          .contains("  blocker  connection: ")
          .contains("no-such-host.invalid");
      assertThat(err.toString()).isEmpty();
    }
  }

  @Test
  void check_wrongString_isAUsageError() {
    assertThat(execute("scyla://host/shop")).isEqualTo(ExitCode.USAGE);
    assertThat(out.toString()).contains("blocker  connection: no driver for scyla://");
    assertThat(execute("memory://")).isEqualTo(ExitCode.USAGE);
  }

  @Test
  void check_realServers_saysWhatTheyAre() {
    CassandraNode node = CassandraNode.shared();
    String scylla =
        "scylla://"
            + node.address()
            + "/check_test?localDatacenter="
            + node.datacenter()
            + "&create=if-missing&replication=1";
    try (ForkedLegacyServer server = ForkedLegacyServer.start();
        KvStore legacy = Stores.connect(server.connectionString());
        KvStore target = Stores.connect(scylla)) {
      legacy.collection("files", RANGE);
      target.collection("files", RANGE);

      assertThat(execute(server.connectionString(), "files")).as(out::toString).isZero();
      assertThat(out.toString())
          .containsPattern("  ok  server: legacy server, \\d+ partitions\n")
          .contains("  ok  collection files: phase legacy, used by 0 processes\n");
      out.getBuffer().setLength(0);
      assertThat(execute(scylla)).as(out::toString).isZero();
      assertThat(out.toString())
          .containsPattern("  ok  server: Cassandra 5\\.[0-9.]+, driver 4\\.[0-9.]+\n")
          .contains("  ok  keyspace: check_test, vnodes, replicas {" + node.datacenter() + "=1}\n")
          .contains("  ok  datacenter: " + node.datacenter() + " of " + node.datacenter())
          .contains("  ok  user: none\n", "  ok  encryption: none\n")
          .contains(
              "  ok  collection files: range;shard=bits=8;encoding=1, in use, never migrated");
    }
  }

  private int execute(String... arguments) {
    CommandLine line = MigrateCommand.commandLine();
    line.setOut(new PrintWriter(out));
    line.setErr(new PrintWriter(err));
    String[] all = new String[arguments.length + 1];
    all[0] = "check-store";
    System.arraycopy(arguments, 0, all, 1, arguments.length);
    return line.execute(all);
  }
}
