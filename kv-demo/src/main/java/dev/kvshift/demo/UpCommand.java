package dev.kvshift.demo;

import dev.kvshift.demo.catalog.ClassFileCatalog;
import dev.kvshift.demo.server.DemoServers;
import dev.kvshift.demo.server.WorkFolder;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Starts the demo's servers and keeps them running until it is interrupted. */
@Command(
    name = "up",
    description = "Start the demo's servers and keep them running until Ctrl-C.",
    mixinStandardHelpOptions = true)
final class UpCommand implements Callable<Integer> {
  private static final int INTERRUPTED = 130;

  @Spec private @Nullable CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    if (spec == null) {
      throw new IllegalStateException("picocli has not set the command's spec");
    }
    PrintWriter out = spec.commandLine().getOut();
    try (WorkFolder folder = WorkFolder.create("up")) {
      print(out, folder.startServers(null));
      new CountDownLatch(1).await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return INTERRUPTED;
  }

  private static void print(PrintWriter out, DemoServers servers) {
    out.println("old store   " + servers.oldStore());
    out.println("new store   " + servers.newStore());
    out.println("both        " + servers.transition());
    out.println("broker      " + servers.bootstrapServers());
    out.println();
    out.println("Ctrl-C stops the servers and deletes their data. Until then, try for example:");
    out.println();
    out.println("  ./kv migrate init --from '" + servers.oldStore() + "' \\");
    out.println("    --to '" + servers.newStore() + "' \\");
    out.println("    --kafka " + servers.bootstrapServers() + " \\");
    out.println("    'files=" + ClassFileCatalog.FILES.layout() + "'");
    out.println("  ./kv migrate run --cutover files");
    out.flush();
  }
}
