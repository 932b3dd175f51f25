package dev.kvshift.migrate.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Key;
import dev.kvshift.api.Layout;
import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.embedded.ForkedLegacyServer;
import dev.kvshift.embedded.KafkaBroker;
import dev.kvshift.model.Stores;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The commands of the runbook: each is one, and they lead from the first look to the clean-up. */
final class RunbookTest {
  private static final String RUNBOOK = "migration-runbook.md";
  private static final Layout LAYOUT = Layout.point();
  private static final int ROWS = 500;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(strings = {RUNBOOK, "runner.md", "monitoring.md", "methods.md"})
  void document_eachCommand_isUnderstood(String document) throws IOException {
    List<List<String>> commands = DocumentedCommands.of(document);
    assertThat(commands).isNotEmpty();

    for (List<String> command : commands) {
      assertThatCode(() -> MigrateCommand.commandLine().parseArgs(command.toArray(new String[0])))
          .as("%s: %s", document, command)
          .doesNotThrowAnyException();
    }
  }

  @Test
  void runbook_onRealServers_leadsFromTheFirstLookToTheCleanUp() throws IOException {
    CassandraNode node = CassandraNode.shared();
    try (ForkedLegacyServer legacy = ForkedLegacyServer.start()) {
      fill(legacy.connectionString());
      List<String> init = new ArrayList<>(command("init"));
      set(init, "--from", legacy.connectionString());
      set(
          init,
          "--to",
          "scylla://"
              + node.address()
              + "/runbook?localDatacenter="
              + node.datacenter()
              + "&create=if-missing&replication=1&deletes=kept");
      set(init, "--kafka", KafkaBroker.shared().bootstrapServers());
      init.set(init.size() - 1, "files=point;shard=none;encoding=1");
      run(ExitCode.OK, init);

      run(ExitCode.OK, command("check"));
      assertThat(out.toString()).startsWith("files: nothing blocks it\n");
      run(ExitCode.OK, command("plan"));
      run(ExitCode.OK, command("copy"));
      run(ExitCode.OK, command("verify"));
      assertThat(out.toString()).contains("missing 0, extra 0, different 0, resurrected 0\n");
      List<String> explain = new ArrayList<>(command("explain"));
      explain.set(explain.size() - 1, "key-7");
      run(ExitCode.OK, explain);
      assertThat(out.toString()).endsWith("verdict: both sides agree\n");
      run(ExitCode.OK, command("step"));
      run(ExitCode.OK, command("rollback"));
      run(ExitCode.OK, command("list"));
      assertThat(out.toString()).startsWith("files: phase legacy, ");

      run(ExitCode.OK, command("reset --dry-run"));
      run(ExitCode.OK, command("reset files"));
      run(ExitCode.OK, command("run"));
      run(ExitCode.OK, List.of("cutover", "files"));
      assertThat(out.toString()).startsWith("files cutover: moved after ");
      run(ExitCode.OK, command("certificate"));
      Path certificate = Files.writeString(folder.resolve("certificate.json"), out.toString());
      out.getBuffer().setLength(0);
      assertThat(execute(List.of("verify-certificate", certificate.toString()))).isZero();
      assertThat(out.toString()).startsWith("valid: collection files, copy ");

      run(ExitCode.REFUSED, List.of("retire", "files"));
      run(ExitCode.OK, command("finish"));
      run(ExitCode.REFUSED, command("retire files"));
      run(ExitCode.OK, command("retire --quiet-days 0"));
      assertThat(out.toString())
          .contains("deleted topic kvshift.files.2.", "deleted the records of progress\n")
          .contains("run on the new store: ALTER TABLE \"runbook\".files_i2 WITH gc_grace_seconds");
      run(ExitCode.OK, List.of("status", "files"));
      assertThat(out.toString()).contains("moved and retired\n");
    }
  }

  private static void fill(String legacy) {
    try (KvStore source = Stores.connect(legacy)) {
      KvCollection files = source.collection("files", LAYOUT);
      for (int i = 0; i < ROWS; i++) {
        files.put(Key.of(Bytes.utf8("key-" + i)), Bytes.utf8("value-" + i));
      }
    }
  }

  private static void set(List<String> command, String option, String value) {
    command.set(command.indexOf(option) + 1, value);
  }

  /** Returns the runbook's command that begins so. */
  private static List<String> command(String begin) throws IOException {
    return DocumentedCommands.of(RUNBOOK).stream()
        .filter(command -> String.join(" ", command).startsWith(begin))
        .findFirst()
        .orElseThrow(() -> new AssertionError("the runbook has no command " + begin));
  }

  private void run(int expected, List<String> command) {
    out.getBuffer().setLength(0);
    List<String> configured = new ArrayList<>(command);
    configured.add("--config=" + folder.resolve("migration.yaml"));
    assertThat(execute(configured)).as("%s: %s%s", command, out, err).isEqualTo(expected);
  }

  private int execute(List<String> command) {
    return MigrateCommand.commandLine()
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(command.toArray(new String[0]));
  }
}
