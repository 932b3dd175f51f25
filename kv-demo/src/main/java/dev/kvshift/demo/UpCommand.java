package dev.kvshift.demo;

import dev.kvshift.KvStore;
import dev.kvshift.demo.catalog.ClassFile;
import dev.kvshift.demo.catalog.ClassFileCatalog;
import dev.kvshift.demo.input.CatalogLoader;
import dev.kvshift.demo.input.ClassFileReader;
import dev.kvshift.demo.progress.ProgressLines;
import dev.kvshift.demo.server.DemoServers;
import dev.kvshift.demo.server.WorkFolder;
import dev.kvshift.model.Stores;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Starts the demo's servers and keeps them running until it is interrupted. */
@Command(
    name = "up",
    description =
        "Start the demo's servers, fill the old store, and keep them running until Ctrl-C. Prints"
            + " commands to try.",
    mixinStandardHelpOptions = true)
final class UpCommand implements Callable<Integer> {
  private static final int INTERRUPTED = 130;

  @Spec private @Nullable CommandSpec spec;

  @Option(
      names = "--records",
      paramLabel = "N",
      defaultValue = "20000",
      description =
          "Approximate number of records in the old store, over both collections, 2 to 100000000"
              + " (default: ${DEFAULT-VALUE}).")
  private long records;

  @Option(names = "--empty", description = "Leave the old store empty.")
  private boolean isEmpty;

  @Override
  public Integer call() throws IOException {
    if (spec == null) {
      throw new IllegalStateException("picocli has not set the command's spec");
    }
    if (records < 2 || records > 100_000_000) {
      throw new ParameterException(
          spec.commandLine(), "--records " + records + ": give 2 to 100000000");
    }
    PrintWriter out = spec.commandLine().getOut();
    ProgressLines progress = new ProgressLines(spec.commandLine().getErr());
    try (WorkFolder folder = WorkFolder.create("up")) {
      progress.say("starting the servers");
      DemoServers servers = folder.startServers(null);
      ClassFile shown = null;
      if (isEmpty) {
        createCollections(servers);
      } else {
        shown = fill(servers, records, progress);
      }
      print(out, servers, Suggestions.of(servers, shown, folder.path()));
      new CountDownLatch(1).await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return INTERRUPTED;
  }

  /** Creates the collections in the old store, so that entries can be put there. */
  static void createCollections(DemoServers servers) {
    try (KvStore store = Stores.connect(servers.oldStore())) {
      ClassFileCatalog.open(store);
    }
  }

  /** Fills the old store; returns a class file that it holds, to be shown. */
  static ClassFile fill(DemoServers servers, long records, ProgressLines progress)
      throws IOException {
    List<ClassFile> shown = new ArrayList<>(1);
    try (KvStore store = Stores.connect(servers.oldStore())) {
      CatalogLoader loader =
          new CatalogLoader(
              ClassFileCatalog.open(store),
              records,
              progress.begin("fill the old store", records, "records"));
      ClassFileReader.read(
          ClassFileReader.localRepository(),
          records,
          file -> {
            if (shown.isEmpty()) {
              shown.add(file);
            } else if (isBetterKnown(file, shown.get(0))) {
              shown.set(0, file);
            }
            return loader.load(file);
          });
      loader.finish();
    }
    return shown.get(0);
  }

  private static boolean isBetterKnown(ClassFile file, ClassFile than) {
    return file.packageName().equals("java.util")
        && (file.name().equals("List.class") || !than.packageName().equals("java.util"));
  }

  private static void print(PrintWriter out, DemoServers servers, List<String> suggestions) {
    out.println("old store   " + servers.oldStore());
    out.println("new store   " + servers.newStore());
    out.println("both        " + servers.transition());
    out.println("broker      " + servers.bootstrapServers());
    out.println();
    out.println(
        "Ctrl-C stops the servers and deletes their data. Until then, in another terminal:");
    for (String line : suggestions) {
      out.println(line.startsWith("#") ? "\n  " + line : "  " + line.replace("\n", "\n  "));
    }
    out.flush();
  }
}
