package dev.kvshift.migrate.cli;

import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.migrate.ClockMigration;
import dev.kvshift.migrate.Preflight;
import dev.kvshift.migrate.api.Finding;
import dev.kvshift.migrate.internal.ledger.Members;
import dev.kvshift.model.Model;
import dev.kvshift.spi.Store;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Opens what a connection string names, and says what is there and what is wrong. */
@Command(
    name = "check-store",
    description = {
      "Opens a connection string as a service does, and each side of transition://. Says what"
          + " answers there, how far its clock is off, whether it may write, which collections it"
          + " has, and in which phase they are; and what is wrong, with what to do.",
      "%nWrites one small record and removes it. Opens no collection for writing. With"
          + " create=if-missing in the string, a missing keyspace is created, as by a service.",
      "%nExits with 0 if nothing is wrong, 2 if the string or its permissions are, 7 if a store does"
          + " not answer, and 6 if something else is wrong."
    },
    mixinStandardHelpOptions = true)
final class CheckStoreCommand implements Callable<Integer> {
  private static final String TRANSITION = "transition";
  private static final String ACCESS = "access";
  private static final String OLD = "old";

  @Spec private CommandSpec spec = CommandSpec.create();

  @Parameters(
      index = "0",
      paramLabel = "STRING",
      description = "Connection string, or a reference to one, such as file:PATH.")
  private String string = "";

  @Parameters(
      index = "1..*",
      arity = "0..*",
      paramLabel = "COLLECTION",
      description =
          "Collections to look at (default: those with a model among the plugins). Those that the"
              + " store has recorded are shown, too.")
  private List<String> names = List.of();

  @Option(
      names = "--plugins",
      paramLabel = "FOLDER",
      description =
          "Folder of jars with models and further drivers (default: plugins, if it exists).")
  private @Nullable Path plugins;

  @Option(names = "--json", description = "Prints JSON, for programs.")
  private boolean json;

  /**
   * A checked store.
   *
   * @param side the side of a transition; empty for the only store
   * @param code the exit code that its findings ask for
   */
  private record Checked(
      String side, String description, List<Finding> findings, int code, @Nullable Store store) {}

  @Override
  public Integer call() {
    Plugins jars = new Plugins(plugins);
    SortedMap<String, Optional<Layout>> layouts = new TreeMap<>();
    for (String name : names.isEmpty() ? jars.models() : names) {
      layouts.put(name, Optional.ofNullable(jars.model(name)).map(Model::layout));
    }
    ConnectionString given = ConnectionString.resolve(string);
    boolean isReadOnly = given.parameter(ACCESS).isPresent();
    List<Checked> all = new ArrayList<>();
    try {
      if (given.scheme().equals(TRANSITION)) {
        all.add(check(jars, OLD, given.nested(OLD), layouts, isReadOnly));
        all.add(check(jars, "new", given.nested("new"), layouts, isReadOnly));
        checkSides(all, layouts);
      } else {
        all.add(check(jars, "", given, layouts, isReadOnly));
      }
    } finally {
      for (Checked each : all) {
        if (each.store != null) {
          each.store.close();
        }
      }
    }
    print(all);
    return all.stream().mapToInt(Checked::code).max().orElse(ExitCode.OK);
  }

  private static Checked check(
      Plugins jars,
      String side,
      ConnectionString string,
      SortedMap<String, Optional<Layout>> layouts,
      boolean isReadOnly) {
    Map<String, String> parameters = new LinkedHashMap<>(string.parameters());
    parameters.remove(ACCESS);
    List<Finding> findings = new ArrayList<>();
    long begun = System.nanoTime();
    Store store;
    try {
      store = jars.open(string.withParameters(parameters));
    } catch (KvException e) {
      findings.add(
          new Finding(Finding.Level.BLOCKER, "connection", String.valueOf(e.getMessage()), "", ""));
      return new Checked(side, string.toString(), findings, ExitCode.of(e), null);
    }
    Duration took = Duration.ofNanos(System.nanoTime() - begun);
    findings.add(Finding.ok("connection", "open after " + took.toMillis() + " ms"));
    boolean mayChangeRule = side.equals(OLD) && ClockMigration.isNeededBy(store);
    findings.addAll(
        Preflight.checkStore(store, mayChangeRule ? withoutModels(layouts) : layouts, isReadOnly));
    return new Checked(side, store.description(), findings, code(findings), store);
  }

  /** A store without a leader that collections leave has the shard rules of before. */
  private static SortedMap<String, Optional<Layout>> withoutModels(
      SortedMap<String, Optional<Layout>> layouts) {
    SortedMap<String, Optional<Layout>> names = new TreeMap<>();
    layouts.keySet().forEach(name -> names.put(name, Optional.empty()));
    return names;
  }

  private static void checkSides(List<Checked> sides, SortedMap<String, Optional<Layout>> layouts) {
    Store oldSide = sides.get(0).store;
    Store newSide = sides.get(1).store;
    if (oldSide != null && newSide != null) {
      List<Finding> findings = Preflight.checkSides(oldSide, newSide, layouts);
      sides.add(new Checked("both", "one migration", findings, code(findings), null));
    }
  }

  private static int code(List<Finding> findings) {
    return FindingText.isBlocked(findings) ? ExitCode.REFUSED : ExitCode.OK;
  }

  private void print(List<Checked> all) {
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      List<Members> stores = new ArrayList<>();
      for (Checked each : all) {
        stores.add(
            new Members()
                .with("side", each.side)
                .with("store", each.description)
                .with("wrong", each.code != ExitCode.OK)
                .withObjects("findings", FindingText.members(each.findings)));
      }
      out.println(new Members().withObjects("stores", stores));
    } else {
      for (Checked each : all) {
        out.println(
            (each.side.isEmpty() ? "" : each.side + ": ")
                + each.description
                + (each.code == ExitCode.OK ? ": nothing is wrong" : ": something is wrong"));
        FindingText.lines(each.findings).forEach(out::println);
      }
    }
    out.flush();
  }
}
