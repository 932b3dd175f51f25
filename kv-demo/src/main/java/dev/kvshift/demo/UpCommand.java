package dev.kvshift.demo;

import dev.kvshift.KvStore;
import dev.kvshift.demo.catalog.ClassFileCatalog;
import dev.kvshift.demo.input.CatalogLoader;
import dev.kvshift.demo.input.ClassFileReader;
import dev.kvshift.demo.progress.ProgressLines;
import dev.kvshift.demo.server.DemoServers;
import dev.kvshift.demo.server.WorkFolder;
import dev.kvshift.model.Stores;
import java.io.IOException;
import java.io.PrintWriter;
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
        "Start the demo's servers, fill the old store, and keep them running until Ctrl-C.",
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
    try (WorkFolder folder = WorkFolder.create("up")) {
      DemoServers servers = folder.startServers(null);
      fill(servers, new ProgressLines(spec.commandLine().getErr()));
      print(out, servers);
      new CountDownLatch(1).await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return INTERRUPTED;
  }

  private void fill(DemoServers servers, ProgressLines progress) throws IOException {
    try (KvStore store = Stores.connect(servers.oldStore())) {
      CatalogLoader loader =
          new CatalogLoader(
              ClassFileCatalog.open(store),
              records,
              progress.begin("fill the old store", records, "records"));
      ClassFileReader.read(ClassFileReader.localRepository(), records, loader::load);
      loader.finish();
    }
  }

  private static void print(PrintWriter out, DemoServers servers) {
    out.println("old store   " + servers.oldStore());
    out.println("new store   " + servers.newStore());
    out.println("both        " + servers.transition());
    out.println("broker      " + servers.bootstrapServers());
    out.println();
    out.println("Ctrl-C stops the servers and deletes their data. Until then, try for example:");
    out.println();
    out.println("  ./kv scan '" + servers.oldStore() + "' package-files");
    out.println("  ./kv migrate init --from '" + servers.oldStore() + "' \\");
    out.println("    --to '" + servers.newStore() + "' \\");
    out.println("    --kafka " + servers.bootstrapServers() + " files");
    out.println("  ./kv migrate run --cutover files");
    out.flush();
  }
}
