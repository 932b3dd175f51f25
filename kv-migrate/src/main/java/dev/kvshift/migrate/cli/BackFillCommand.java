package dev.kvshift.migrate.cli;

import dev.kvshift.migrate.HostedMigrations;
import dev.kvshift.migrate.Migration;
import dev.kvshift.migrate.api.KeyList;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.internal.data.KeyNotation;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Copies listed main keys. */
@Command(
    name = "backfill",
    description = {
      "Copies and compares the rows of listed main keys, in the order of the list, while services"
          + " write: newest first, month by month, or as the list has them. Exits with 5 if a row"
          + " differs afterwards, and with 3 if rows were rejected.",
      "%nThe list is a file with a main key in each line, as 'get' takes it: with a model its text,"
          + " otherwise string:TEXT, uint64:N and so on, or plain text if the layout says"
          + " encoding=0; 0xHEX for the bytes of any key. A line that is no key ends the command"
          + " before anything is copied.",
      "%nGive the command again to resume it, also with a list that has grown at its end. A list"
          + " that begins with other keys begins at its first key, and so does one after a step."
          + " As many batches of 20 keys are worked on as 'workers' says, at the rate of scans;"
          + " 'status' shows keys and the time left.",
      "%nWith a leader it works in every phase before the move. Without one, services must write to"
          + " both stores, from dual-write to new-read; in new-read, reads of a key that is done ask"
          + " the new store alone, until the next step. The copy, and the comparison or the pass"
          + " before the cutover, are as ever."
    },
    mixinStandardHelpOptions = true)
final class BackFillCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private ConfigOption config = new ConfigOption();

  @Parameters(index = "0", paramLabel = "COLLECTION", description = "The collection.")
  private String name = "";

  @Parameters(index = "1", paramLabel = "LIST", description = "The file of main keys.")
  private Path list = Path.of("");

  @Override
  public Integer call() {
    return Termination.run(
        spec.commandLine().getErr(),
        () -> {
          MigrationFile file = config.read();
          try (MigrationFile.Opened opened = file.open()) {
            MigrationPlan plan = opened.plan().collection(name);
            KeyNotation notation =
                KeyNotation.of(plan.layout(), new Plugins(file.plugins()).model(name));
            KeyList keys = KeyList.of(list, notation::main);
            return opened.isLed() ? backFill(opened, plan, keys) : inClockOrder(opened, keys);
          }
        });
  }

  private int inClockOrder(MigrationFile.Opened opened, KeyList keys) {
    return new ClockWork(opened, spec).backFill(name, keys);
  }

  private int backFill(MigrationFile.Opened opened, MigrationPlan plan, KeyList keys) {
    new HostedMigrations(opened.plan()).note(name, MigrateCommand.words(spec));
    try (Migration migration = Migration.of(plan, new ProgressLines(spec.commandLine().getErr()))) {
      return ResultText.printBackFill(spec.commandLine().getOut(), migration.backFill(keys));
    }
  }
}
