package dev.kvshift.migrate.cli;

import static dev.kvshift.testkit.concurrent.Await.until;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Layout;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.migrate.HostedMigrations;
import dev.kvshift.migrate.api.CutoverTime;
import dev.kvshift.migrate.api.HostPlan;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Store;
import dev.kvshift.testkit.concurrent.Await;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import picocli.CommandLine;

/** A command that waits for hosts ends if what it waits for cannot happen any more. */
final class HostedWorkTest {
  private static final Layout LAYOUT = Layout.point();
  private static final List<String> FILES = List.of("files");

  private final Store source = MemoryStoreProvider.open(UUID.randomUUID().toString());
  private final Store target = MemoryStoreProvider.open(UUID.randomUUID().toString());
  private final StringWriter err = new StringWriter();
  private final CommandLine command =
      MigrateCommand.commandLine().setErr(new PrintWriter(err, true));
  private final HostPlan plan =
      new HostPlan(
          "alone",
          List.of(
              MigrationPlan.builder("files", LAYOUT)
                  .source(source)
                  .target(target)
                  .bootstrapServers("no address of a broker")
                  .build()),
          HostPlan.DEFAULT_LEASE);

  HostedWorkTest() {
    Await.join(source.open("files", LAYOUT, Claim.ACTIVE));
  }

  @AfterEach
  void close() {
    source.close();
    target.close();
  }

  @Test
  @Timeout(60)
  void awaitCutover_hostOfTheCommandHasEnded_endsToo() {
    try (OwnHost host = new OwnHost(new MigrationFile.Opened(plan), command.getCommandSpec())) {
      until("it has ended", host::hasEnded);
      HostedMigrations migrations = new HostedMigrations(plan);
      migrations.cutover(FILES, Set.of(), CutoverTime.ON_GO);

      assertThat(host.work().awaitCutover(FILES)).isNotZero();

      assertThat(err.toString())
          .contains("migrate: the host of this command has ended: ")
          .contains("nobody does the cutover of collection files any more");
    }
  }

  @Test
  void awaitCutover_itsRecordWasRemoved_saysSo() {
    try (OwnHost host = new OwnHost(new MigrationFile.Opened(plan), command.getCommandSpec())) {
      assertThat(host.work().awaitCutover(FILES)).isEqualTo(ExitCode.LEFT);

      assertThat(err.toString())
          .contains("cutover of collection files is no longer asked for: 'reset', 'abort' or");
    }
  }
}
