package dev.kvshift.migrate.cli;

import dev.kvshift.migrate.ClockMigration;
import dev.kvshift.migrate.Migration;
import dev.kvshift.migrate.internal.ledger.Members;
import dev.kvshift.migrate.internal.monitor.Fleet;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.SideCounts;
import dev.kvshift.spi.Store;
import dev.kvshift.transition.MetadataGate;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Shows who uses a collection, as its leader knows it. */
@Command(
    name = "fleet",
    description = {
      "Shows the processes that use a collection, and whether each can follow its next step.",
      "%nThe old store's leader knows them: instances of services on transition:// report once a"
          + " second, and clients that have used the collection without a report are listed for ten"
          + " seconds. Changes nothing, and needs neither the new store nor the broker. For a source"
          + " without a leader, the new store knows them.",
      "%nFor locks:SPACE it shows the processes that take locks of a space at the old store, and how"
          + " many each holds."
    },
    mixinStandardHelpOptions = true)
final class FleetCommand implements Callable<Integer> {
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final String LOCKS = "locks:";

  @Spec private CommandSpec spec = CommandSpec.create();

  @Mixin private ConfigOption config = new ConfigOption();

  @Parameters(paramLabel = "COLLECTION", description = "The collection, or locks:SPACE.")
  private String name = "";

  @Option(
      names = "--json",
      paramLabel = "FILE",
      description = "Writes the fleet to a file, as JSON.")
  private @Nullable Path json;

  @Override
  public Integer call() {
    Fleet fleet = isLockSpace() ? ofLocks() : ofCollection();
    PrintWriter out = spec.commandLine().getOut();
    lines(fleet).forEach(out::println);
    out.flush();
    if (json != null) {
      MigrateCommand.write(json, json(fleet).toString());
    }
    return fleet.ready() == fleet.users().size() ? ExitCode.OK : ExitCode.REFUSED;
  }

  private boolean isLockSpace() {
    return name.startsWith(LOCKS);
  }

  private Fleet ofLocks() {
    try (Store store = config.read().openSource()) {
      return Fleet.ofLocks(store, name.substring(LOCKS.length()), PATIENCE);
    }
  }

  private Fleet ofCollection() {
    MigrationFile file = config.read();
    try (MigrationFile.Source source = file.openSource(name)) {
      boolean isLed =
          !ClockMigration.isNeededBy(source.store())
              && !Migration.hasWayBack(source.store(), name, source.layout());
      if (isLed) {
        return Fleet.read(source.store(), name, source.layout(), PATIENCE);
      }
    }
    try (MigrationFile.Opened opened = file.open()) {
      return Fleet.read(
          name, MetadataGate.of(opened.plan().collection(name).target(), name), PATIENCE);
    }
  }

  private List<String> lines(Fleet fleet) {
    Gate.State state = fleet.state();
    List<String> lines = new ArrayList<>();
    lines.add(
        String.format(
            Locale.ROOT,
            "%s: phase %s, epoch %d; %,d of %,d processes ready for the next step",
            name,
            state.phase().word(),
            state.epoch(),
            fleet.ready(),
            fleet.users().size()));
    for (Fleet.User user : fleet.users()) {
      InstanceReport report = user.instance().report();
      InstanceReport.Use use = user.instance().use();
      Duration skew = use.skew();
      lines.add(
          String.format(
              Locale.ROOT,
              "%s %s: epoch %d%s%s, %s",
              report.service(),
              report.instance(),
              use.acknowledged(),
              report.library().isEmpty() ? "" : ", library " + report.library(),
              skew == null ? "" : ", clock within " + skew.toMillis() + " ms",
              isLockSpace()
                  ? "holds " + use.heldLocks() + " lock(s)"
                  : "new side: " + use.counts()));
      if (user.obstacle() != null) {
        lines.add("  not ready: " + user.obstacle());
      }
    }
    return lines;
  }

  private Members json(Fleet fleet) {
    return new Members()
        .with("collection", name)
        .with("phase", fleet.state().phase().word())
        .with("epoch", fleet.state().epoch())
        .withObjects("processes", fleet.users().stream().map(FleetCommand::json).toList());
  }

  private static Members json(Fleet.User user) {
    InstanceReport report = user.instance().report();
    InstanceReport.Use use = user.instance().use();
    SideCounts counts = use.counts();
    Members members =
        new Members()
            .with("service", report.service())
            .with("instance", report.instance())
            .with("library", report.library())
            .with("epoch", use.acknowledged())
            .with("requests", counts.requests())
            .with("failures", counts.failures())
            .with("missHits", counts.missHits())
            .with("compared", counts.compared())
            .with("different", counts.different())
            .with("heldLocks", use.heldLocks());
    Duration skew = use.skew();
    if (skew != null) {
      members.with("skewMillis", skew.toMillis());
    }
    Duration uncertainty = use.uncertainty();
    if (uncertainty != null) {
      members.with("uncertaintyMillis", uncertainty.toMillis());
    }
    Copy copy = use.copy();
    if (copy != null) {
      members.with("copy", copy.toString());
    }
    return user.obstacle() == null ? members : members.with("notReady", user.obstacle());
  }
}
