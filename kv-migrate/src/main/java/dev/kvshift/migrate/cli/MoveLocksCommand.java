package dev.kvshift.migrate.cli;

import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.spi.InstancesNotReady;
import dev.kvshift.spi.LockSpaceRecord;
import dev.kvshift.transition.LockMove;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Moves a lock space after the collections that it guards. */
@Command(
    name = "move-locks",
    description = {
      "Moves the authority over a lock space to the new store, after the collections whose rows are"
          + " written under its locks.",
      "%nRequests for new locks wait until no lock is held. If one is held for longer than the"
          + " patience, nothing is moved, and the exit code is 7: try again. It is 6 while a guarded"
          + " collection is not in new-only, or an instance cannot follow. A move that was"
          + " interrupted is continued by the same command."
    },
    mixinStandardHelpOptions = true)
final class MoveLocksCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Parameters(paramLabel = "SPACE", description = "Name of the lock space.")
  private String space = "";

  @Mixin private ConfigOption config = new ConfigOption();

  @Option(
      names = "--guards",
      arity = "1..*",
      paramLabel = "COLLECTION",
      description =
          "The collections whose rows are written under locks of the space (default: all of the"
              + " configuration).")
  private List<String> guards = new ArrayList<>();

  @Option(
      names = "--patience-seconds",
      paramLabel = "N",
      defaultValue = "10",
      description =
          "How long to wait for instances that cannot follow yet, and then for held locks, while no"
              + " new ones are granted: 1 to 50 (default: 10).")
  private int patienceSeconds;

  @Option(
      names = "--give-up",
      arity = "1..*",
      paramLabel = "SERVICE",
      description = "Services whose instances need not be able to follow.")
  private List<String> givenUp = new ArrayList<>();

  @Override
  public Integer call() {
    PrintWriter err = spec.commandLine().getErr();
    try (MigrationFile.Opened opened = config.open()) {
      List<MigrationPlan> guarded = opened.of(guards);
      MigrationPlan first = guarded.get(0);
      LockSpaceRecord moved =
          LockMove.of(
                  space,
                  first.source(),
                  first.target(),
                  guarded.stream().map(MigrationPlan::collection).toList())
              .withPatience(Duration.ofSeconds(patienceSeconds))
              .withGivenUp(Set.copyOf(givenUp))
              .withProgress(
                  line -> {
                    err.println(line);
                    err.flush();
                  })
              .move();
      PrintWriter out = spec.commandLine().getOut();
      out.println("lock space " + space + ": moved, tokens begin above " + moved.floor());
      out.flush();
      return ExitCode.OK;
    } catch (InstancesNotReady e) {
      err.println("migrate: " + e.getMessage());
      err.flush();
      return ExitCode.REFUSED;
    }
  }
}
