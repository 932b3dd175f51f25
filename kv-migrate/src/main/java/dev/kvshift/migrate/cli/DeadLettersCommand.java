package dev.kvshift.migrate.cli;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.HostedMigrations;
import dev.kvshift.migrate.Migration;
import dev.kvshift.migrate.api.RejectedKey;
import dev.kvshift.migrate.internal.ledger.Members;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Shows, retries and gives up quarantined keys. */
@Command(
    name = "dead-letters",
    description = {
      "Lists the keys whose newest row the new store can never hold, tries them again, or accepts"
          + " that they are lost.",
      "%nSuch a key keeps its collection from moving. Write a smaller value or delete the key at the"
          + " old store, or give the new store a greater limit; then retry. If nobody needs the row,"
          + " drop it."
    },
    mixinStandardHelpOptions = true)
final class DeadLettersCommand implements Runnable {
  private static final String DIGEST = "[0-9a-f]{8,64}";

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "give a command: list, retry or drop");
  }

  @Command(
      description =
          "Lists all quarantined keys of a collection, each with its digest and the reason.")
  int list(
      @Mixin ConfigOption config,
      @Parameters(paramLabel = "COLLECTION", description = "The collection.") String name,
      @Option(names = "--json", description = "Prints JSON, one object a line, for programs.")
          boolean json) {
    PrintWriter out = spec.commandLine().getOut();
    try (MigrationFile.Opened opened = config.open()) {
      new HostedMigrations(opened.plan())
          .quarantined(
              name,
              rejected ->
                  out.println(json ? members(rejected) : rejected.digest() + " " + rejected));
      out.flush();
      return ExitCode.OK;
    }
  }

  private static Members members(RejectedKey rejected) {
    return new Members()
        .with("digest", rejected.digest())
        .with("key", rejected.keyText())
        .with("version", rejected.version())
        .with("reason", rejected.reason());
  }

  @Command(
      description =
          "Writes the newest row of each quarantined key again, and releases those that both sides"
              + " agree on. Exits with 3 if some stay.")
  int retry(
      @Mixin ConfigOption config,
      @Parameters(paramLabel = "COLLECTION", description = "The collection.") String name) {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    return Termination.run(
        err,
        () -> {
          try (MigrationFile.Opened opened = config.open();
              Migration migration =
                  Migration.of(opened.plan().collection(name), new ProgressLines(err))) {
            new HostedMigrations(opened.plan()).note(name, "dead-letters retry " + name);
            int left = migration.retryQuarantined();
            out.println(left == 0 ? "no key is quarantined" : left + " keys are quarantined");
            out.flush();
            return left == 0 ? ExitCode.OK : ExitCode.REJECTS;
          }
        });
  }

  @Command(
      description = {
        "Accepts that quarantined keys are lost: the new store never gets their newest rows. There is"
            + " no way back once the collection has moved.",
        "%nWho has accepted it, and when, is recorded, and the certificate names the keys by their"
            + " digests. They no longer keep the collection from moving, and comparisons leave them"
            + " out for as long as both sides have the same rows of them as now. A key that is"
            + " changed at the old store counts again."
      })
  int drop(
      @Mixin ConfigOption config,
      @Parameters(index = "0", paramLabel = "COLLECTION", description = "The collection.")
          String name,
      @Parameters(
              index = "1..*",
              arity = "1..*",
              paramLabel = "DIGEST",
              description =
                  "Digests of keys, as 'list' shows them, or their first digits, 8 at least.")
          List<String> digests,
      @Option(names = "--dry-run", description = "Shows what would be lost, and changes nothing.")
          boolean isDryRun,
      @Option(names = "--yes", description = "Accepts the loss; refused without it.")
          boolean isConfirmed,
      @Option(names = "--json", description = "Prints JSON, one object a line, for programs.")
          boolean json) {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    return Termination.run(
        err,
        () -> {
          try (MigrationFile.Opened opened = config.open()) {
            HostedMigrations migrations = new HostedMigrations(opened.plan());
            List<RejectedKey> lost = find(migrations, name, digests);
            if (!isDryRun) {
              requireConfirmed(isConfirmed, name, lost.size());
              migrations.note(name, MigrateCommand.words(spec));
              try (Migration migration =
                  Migration.of(opened.plan().collection(name), new ProgressLines(err))) {
                migration.dropQuarantined(lost.stream().map(RejectedKey::digest).toList());
              }
            }
            String done = isDryRun ? "would drop " : "dropped ";
            lost.forEach(key -> out.println(json ? members(key) : done + key.digest() + " " + key));
            out.flush();
            return ExitCode.OK;
          }
        });
  }

  private static void requireConfirmed(boolean isConfirmed, String name, int keys) {
    if (!isConfirmed) {
      throw new KvException.Permanent(
          "the newest rows of "
              + keys
              + " keys of collection "
              + name
              + " would be lost for good: look at them with --dry-run, and give --yes");
    }
  }

  /** Returns the quarantined keys that the digests name, each once. */
  private static List<RejectedKey> find(
      HostedMigrations migrations, String name, List<String> digests) {
    for (String digest : digests) {
      if (!digest.matches(DIGEST)) {
        throw new KvException.Permanent(
            "'" + digest + "' is no digest of a key: give one that dead-letters list shows");
      }
    }
    List<RejectedKey> found = new ArrayList<>();
    int[] matches = new int[digests.size()];
    migrations.quarantined(
        name,
        rejected -> {
          boolean isNamed = false;
          for (int i = 0; i < matches.length; i++) {
            if (rejected.digest().startsWith(digests.get(i))) {
              matches[i]++;
              isNamed = true;
            }
          }
          if (isNamed) {
            found.add(rejected);
          }
        });
    for (int i = 0; i < matches.length; i++) {
      if (matches[i] != 1) {
        throw new KvException.Permanent(
            (matches[i] == 0 ? "no quarantined key has digest " : "several keys have digest ")
                + digests.get(i)
                + "…: give one that dead-letters list shows");
      }
    }
    return found;
  }
}
