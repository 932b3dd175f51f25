package dev.kvshift.migrate.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.Key;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.model.Stores;
import dev.kvshift.model.key.Keys;
import dev.kvshift.testkit.concurrent.Await;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The commands that change a layout: from one keyspace of a real node to another, no broker. */
final class LayoutChangeCommandTest {
  private static final Layout WHOLE = Layout.parse("range;shard=none;encoding=1");
  private static final Layout SHARDED = Layout.parse("range;shard=bits=3;encoding=1");
  private static final Bytes MAIN = Bytes.utf8("main");
  private static final int ROWS = 200;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @TempDir private Path folder;

  @Test
  void commands_withTheAdvisorsRule_changeTheLayout() throws IOException {
    String oldSide = Keyspaces.string("layout_commands_old");
    String newSide = Keyspaces.string("layout_commands_new");
    Path file = folder.resolve("migration.yaml");
    Files.writeString(file, configuration(oldSide, newSide));
    Path same = folder.resolve("same.yaml");
    Files.writeString(same, configuration(oldSide, oldSide));
    try (KvStore before = Stores.connect(oldSide)) {
      KvCollection files = before.collection("files", WHOLE);
      for (long i = 0; i < ROWS; i++) {
        files.put(key(i), Bytes.utf8("row " + i));
      }
    }
    assertThat(
            execute(
                "advise",
                "--from",
                oldSide,
                "--collection",
                "files",
                "--layout",
                WHOLE.toString(),
                "--max-rows",
                "50"))
        .as("%s", err)
        .isZero();
    assertThat(out.toString())
        .endsWith(
            "recommended: shard=bits=3\nits layout would be "
                + SHARDED
                + ", not "
                + WHOLE
                + ": docs/model.md says how a layout changes\n");
    assertThat(execute("prepare", "--config", same.toString())).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString())
        .contains("collection files is in use on scylla://")
        .contains("with the layout " + WHOLE + ", as it is on the old side, which may be the same")
        .contains("into another keyspace");
    assertThat(execute("check", "--config", file.toString())).as("%s", out).isZero();
    assertThat(out.toString())
        .contains("phase legacy; its layout changes from " + WHOLE + " to " + SHARDED + "\n");
    assertThat(execute("prepare", "--config", file.toString())).as("%s", err).isZero();
    String transition =
        ConnectionString.of("transition")
            .withHosts(List.of(ConnectionString.Host.of("service")))
            .withParameters(Map.of("old", oldSide, "new", newSide))
            .print();
    try (KvStore deployed = Stores.connect(transition)) {
      KvCollection files = deployed.collection("files", SHARDED);
      try (KvStore former = Stores.connect(transition)) {
        former.collection("files", WHOLE).put(key(ROWS), Bytes.utf8("former"));
        Await.until(
            "the fleet names the process with the former model",
            () ->
                execute("fleet", "files", "--config", file.toString()) == ExitCode.REFUSED
                    && out.toString()
                        .contains(
                            "not ready: collection files has the layout "
                                + SHARDED
                                + ", not "
                                + WHOLE));
      }
      assertThat(execute("run", "files", "--config", file.toString())).as("%s", err).isZero();
      files.put(key(ROWS + 1), Bytes.utf8("read"));
      requireRange(files, ROWS + 2);
      assertThat(execute("run", "--cutover", "files", "--config", file.toString()))
          .as("%s", err)
          .isZero();
      assertThat(execute("finish", "files", "--config", file.toString())).as("%s", err).isZero();
      assertThat(out.toString()).endsWith("the way back has ended: the new store serves alone\n");
    }
    try (KvStore after = Stores.connect(newSide)) {
      requireRange(after.collection("files", SHARDED), ROWS + 2);
    }
  }

  private static void requireRange(KvCollection files, int entries) {
    assertThat(files.getRange(MAIN, Range.all(), PageLimit.entries(1_000)).entries())
        .hasSize(entries);
  }

  private static Key key(long number) {
    return Key.of(MAIN, Keys.uint64().encode(number << 56));
  }

  private static String configuration(String source, String target) {
    return String.join(
        "\n",
        "source: " + source,
        "target: " + target,
        "kafka:",
        "  bootstrap: localhost:1",
        "collections:",
        "- name: files",
        "  layout: '" + SHARDED + "'",
        "  dwellSeconds: 0",
        "");
  }

  private int execute(String... words) {
    CommandLine line = MigrateCommand.commandLine();
    line.setOut(new PrintWriter(out, true));
    line.setErr(new PrintWriter(err, true));
    return line.execute(words);
  }
}
