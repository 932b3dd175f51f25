package dev.kvshift.migrate.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.Key;
import dev.kvshift.api.Layout;
import dev.kvshift.model.Stores;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The commands for an old store that has no leader: two keyspaces of a real node, no broker. */
final class ClockOrderCommandTest {
  private static final Layout LAYOUT = Layout.point();

  private static final String REFUSAL =
      "has no leader, so its phases are ordered by clocks: there is no stream, no copy of its own,"
          + " no fence and no host";

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @TempDir private Path folder;

  @Test
  void commands_fromOneKeyspaceToAnother_moveAndGoBack() throws IOException {
    String oldSide = Keyspaces.string("clock_commands_old");
    String newSide = Keyspaces.string("clock_commands_new");
    Path file = folder.resolve("migration.yaml");
    Files.writeString(
        file,
        String.join(
            "\n",
            "source: " + oldSide,
            "target: " + newSide,
            "kafka:",
            "  bootstrap: localhost:1",
            "collections:",
            "- name: files",
            "  layout: '" + LAYOUT + "'",
            "  dwellSeconds: 0",
            ""));
    String transition =
        ConnectionString.of("transition")
            .withHosts(List.of(ConnectionString.Host.of("service")))
            .withParameters(Map.of("old", oldSide, "new", newSide))
            .print();
    try (KvStore before = Stores.connect(oldSide)) {
      KvCollection files = before.collection("files", LAYOUT);
      assertThat(execute(file, "prepare")).isEqualTo(ExitCode.REFUSED);
      assertThat(err.toString()).contains("holds nothing");
      assertThat(execute(file, "check")).as("%s", out).isZero();
      assertThat(out.toString())
          .contains("phase legacy; it holds nothing")
          .contains("  ok  lives: nothing is prepared yet\n");
      files.put(key("before"), Bytes.utf8("1"));
    }
    try (KvStore service = Stores.connect(transition)) {
      assertThat(execute(file, "prepare")).as("%s", err).isZero();
      KvCollection files = service.collection("files", LAYOUT);
      assertThat(execute(file, "check")).as("%s", out).isZero();
      assertThat(out.toString())
          .contains("files: nothing blocks it\n")
          .contains(": no leader, so the phases are ordered by clocks; phase legacy\n")
          .contains("  ok  lives: both stores name copy ")
          .contains("  ok  services: 1 processes use it\n");
      assertThat(execute(file, "plan", "--sample", "4")).as("%s", err).isZero();
      assertThat(out.toString())
          .contains("  size: about ", " rows, 0.0 MB of keys and values, ")
          .contains("  time: a pass over both stores takes about 0:00 h if they keep up\n")
          .contains("  method: run, in phases ordered by clocks, since the old store has no leader")
          .doesNotContain("  topic: ");
      assertThat(execute(file, "plan", "--json")).as("%s", err).isZero();
      assertThat(out.toString()).contains("\"passSeconds\":0,\"ordering\":\"clocks\"");
      files.put(key("legacy"), Bytes.utf8("2"));
      assertThat(execute(file, "verify")).isEqualTo(ExitCode.REFUSED);
      assertThat(err.toString()).contains("step to shadow-write first");
      assertThat(execute(file, "step", "dual-write", "files")).as("%s", err).isZero();
      assertThat(execute(file, "verify")).as("%s", err).isZero();
      assertThat(out.toString()).contains("2 written to the new side, 0 written to the old side");
      assertThat(execute(file, "status")).as("%s", err).isZero();
      assertThat(out.toString())
          .contains("files: phase dual-write, epoch 2, ordered by clocks\ncopy ")
          .contains("written to the old side, in epoch 2, ended at ");
      assertThat(execute(file, "status", "--json")).as("%s", err).isZero();
      assertThat(out.toString()).contains("\"ordering\":\"clocks\"");
      assertThat(execute(file, "list")).as("%s", err).isZero();
      assertThat(out.toString()).endsWith("files: phase dual-write\n");
      assertThat(execute(file, "certificate", "files")).isEqualTo(ExitCode.USAGE);
      assertThat(execute(file, "fleet", "files")).as("%s", err).isZero();
      assertThat(out.toString())
          .contains("files: phase dual-write, epoch 2; 1 of 1 processes ready for the next step\n");
      assertThat(execute(file, "set", "files", "--scan-rows-per-second", "100000")).isZero();
      for (String command : List.of("cutover", "finish")) {
        assertThat(execute(file, command, "files")).as(command).isEqualTo(ExitCode.REFUSED);
      }
      assertThat(err.toString())
          .contains("handed over from new-read, so step there first")
          .contains("give the command cutover first");
      assertThat(execute(file, "run", "files")).as("%s", err).isZero();
      assertThat(out.toString()).endsWith(MigrateCommand.READY + "\n");
      assertThat(execute(file, "cutover", "files")).as("%s", err).isZero();
      assertThat(out.toString()).endsWith(MigrateCommand.wayBack("files") + "\n");
      assertThat(execute(file, "status")).as("%s", err).isZero();
      assertThat(out.toString()).contains("serves alone; " + MigrateCommand.wayBack("files"));
      requireCertificate(file, ": the new store serves alone after epoch ");
      files.put(key("primary"), Bytes.utf8("3"));
      assertThat(execute(file, "rollback", "files")).as("%s", err).isZero();
      assertThat(out.toString())
          .contains("collection files is back in phase legacy, from new-primary\n");
      requireCertificate(file, ": taken back after epoch ", "--rollback");
      files.delete(key("before"));
      for (String command : List.of("copy", "stream", "pause", "host")) {
        assertThat(execute(file, command)).as(command).isEqualTo(ExitCode.USAGE);
      }
      for (String command : List.of("repair", "retire")) {
        assertThat(execute(file, command, "files")).as(command).isEqualTo(ExitCode.USAGE);
      }
      assertThat(execute(file, "retire", "--dry-run", "files")).isEqualTo(ExitCode.USAGE);
      assertThat(err.toString().lines().filter(line -> line.contains(REFUSAL))).hasSize(7);
      assertThat(execute(file, "reset", "--dry-run", "files")).as("%s", err).isZero();
      assertThat(out.toString()).contains("would delete incarnation 1 of the collection");
      assertThat(execute(file, "reset", "files")).as("%s", err).isZero();
      assertThat(out.toString()).contains("\ndeleted incarnation 1 of the collection");
      assertThat(execute(file, "abort", "files")).isEqualTo(ExitCode.REFUSED);
      assertThat(err.toString()).contains("it is not prepared, so there is nothing to wipe");
      assertThat(execute(file, "cutover", "--postpone", "files")).isEqualTo(ExitCode.USAGE);
      assertThat(execute(file, "run", "--give-up", "old", "files")).isEqualTo(ExitCode.USAGE);
      assertThat(execute(file, "run", "--cutover", "files")).as("%s", err).isZero();
      assertThat(out.toString()).endsWith(MigrateCommand.wayBack("files") + "\n");
      for (String command : List.of("run", "cutover")) {
        assertThat(execute(file, command, "files")).as("%s", err).isZero();
        assertThat(out.toString()).endsWith(MigrateCommand.wayBack("files") + "\n");
      }
      assertThat(execute(file, "run", "--cutover", "--final", "files")).as("%s", err).isZero();
      for (String command : List.of("run", "cutover")) {
        assertThat(execute(file, command, "files")).as("%s", err).isZero();
        assertThat(out.toString())
            .endsWith("collection files has moved for good, without a pause\n");
      }
      assertThat(execute(file, "status")).as("%s", err).isZero();
      assertThat(out.toString()).contains("files: phase new-only, ").contains("\nmoved, floor ");
      assertThat(execute(file, "rollback", "files")).isEqualTo(ExitCode.REFUSED);
      assertThat(files.get(key("primary"))).contains(Bytes.utf8("3"));
    }
    try (KvStore after = Stores.connect(newSide)) {
      KvCollection files = after.collection("files", LAYOUT);
      assertThat(files.get(key("before"))).isEmpty();
      assertThat(files.get(key("legacy"))).contains(Bytes.utf8("2"));
      assertThat(files.get(key("primary"))).contains(Bytes.utf8("3"));
      files.put(key("after"), Bytes.utf8("4"));
    }
  }

  /** The printed certificate is valid, and a changed one is not. */
  private void requireCertificate(Path file, String what, String... more) throws IOException {
    out.getBuffer().setLength(0);
    List<String> words = new ArrayList<>(List.of(more));
    words.add("files");
    assertThat(execute(file, "certificate", words.toArray(String[]::new))).as("%s", err).isZero();
    String json = out.toString();
    Path printed = folder.resolve("certificate.json");
    Files.writeString(printed, json);
    assertThat(verify(printed)).as("%s", err).isZero();
    assertThat(out.toString())
        .contains("valid: collection files, copy ")
        .contains(", without a leader, ordered by clocks" + what)
        .contains("\na pass over both stores by ");
    Files.writeString(printed, json.replace("\"acceptMin\":", "\"acceptMin\":1"));
    assertThat(verify(printed)).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString()).contains("the certificate was changed: its hash is another");
  }

  private static Key key(String text) {
    return Key.of(Bytes.utf8(text));
  }

  private int verify(Path printed) {
    return execute(List.of("verify-certificate", printed.toString()));
  }

  private int execute(Path file, String command, String... more) {
    List<String> words = new ArrayList<>(List.of(command));
    words.addAll(List.of("--config", file.toString()));
    words.addAll(List.of(more));
    return execute(words);
  }

  private int execute(List<String> words) {
    CommandLine line = MigrateCommand.commandLine();
    line.setOut(new PrintWriter(out, true));
    line.setErr(new PrintWriter(err, true));
    return line.execute(words.toArray(String[]::new));
  }
}
