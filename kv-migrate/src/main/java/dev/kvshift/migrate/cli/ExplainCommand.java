package dev.kvshift.migrate.cli;

import dev.kvshift.api.Bytes;
import dev.kvshift.migrate.HostedMigrations;
import dev.kvshift.migrate.api.KeyHistory;
import dev.kvshift.model.key.Keys;
import dev.kvshift.spi.StoreKey;
import java.io.PrintWriter;
import java.util.HexFormat;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Explains one key. */
@Command(
    name = "explain",
    description = {
      "Shows why a key is on the new store as it is: both rows without their values, every change of"
          + " it in the topic with its version and position, which of them counts, and a verdict."
          + " Exits with 5 if the sides differ. Changes nothing.",
      "%nA part of a key is given as 0xHEX (as lists of differing keys show it in brackets), as"
          + " string:TEXT or uint64:N in kvshift's encoding, or else as plain UTF-8 text.",
      "%nReads one partition of the topic from its beginning."
    },
    mixinStandardHelpOptions = true)
final class ExplainCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private ConfigOption config = new ConfigOption();

  @Parameters(index = "0", paramLabel = "COLLECTION", description = "The collection.")
  private String name = "";

  @Parameters(index = "1", paramLabel = "MAIN", description = "The main key.")
  private String main = "";

  @Parameters(
      index = "2",
      arity = "0..1",
      paramLabel = "CLUSTERING",
      description = "The clustering part of the key, if it has one.")
  private String clustering = "";

  @Override
  public Integer call() {
    StoreKey key = StoreKey.of(part(main), clustering.isEmpty() ? Bytes.empty() : part(clustering));
    try (MigrationFile.Opened opened = config.open()) {
      KeyHistory history = new HostedMigrations(opened.plan()).explain(name, key);
      PrintWriter out = spec.commandLine().getOut();
      out.println(history.keyText());
      out.println("old store: " + (history.source() == null ? "no row" : history.source()));
      out.println("new store: " + (history.target() == null ? "no row" : history.target()));
      for (KeyHistory.Change change : history.changes()) {
        out.println(
            "change at position "
                + change.position()
                + " (partition "
                + change.partition()
                + ", offset "
                + change.offset()
                + "): "
                + change.row());
      }
      out.println("rule: " + history.rule());
      out.println("verdict: " + history.verdict());
      out.flush();
      return history.isEqual() ? ExitCode.OK : ExitCode.MISMATCH;
    }
  }

  static Bytes part(String text) {
    if (text.startsWith("0x")) {
      return Bytes.of(HexFormat.of().parseHex(text.substring(2)));
    }
    if (text.startsWith("string:")) {
      return Keys.string().encode(text.substring("string:".length()));
    }
    if (text.startsWith("uint64:")) {
      return Keys.uint64().encode(Long.parseUnsignedLong(text.substring("uint64:".length())));
    }
    return Bytes.utf8(text);
  }
}
