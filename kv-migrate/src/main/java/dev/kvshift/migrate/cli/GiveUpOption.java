package dev.kvshift.migrate.cli;

import dev.kvshift.migrate.api.MigrationPlan;
import java.util.List;
import java.util.Set;
import picocli.CommandLine.Option;

/** The services that a cutover leaves behind. */
final class GiveUpOption {
  @Option(
      names = "--give-up",
      paramLabel = "SERVICE",
      description =
          "A service that the cutover need not wait for, though its instances are not ready; its"
              + " requests fail after the move. May be given several times.")
  private List<String> services = List.of();

  Set<String> services() {
    return Set.copyOf(services);
  }

  MigrationPlan of(MigrationPlan plan) {
    return plan.toBuilder()
        .options(plan.options().toBuilder().givingUp(services()).build())
        .build();
  }
}
