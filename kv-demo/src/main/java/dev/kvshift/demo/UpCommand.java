package dev.kvshift.demo;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Starts the demo's servers and stays in the foreground until it is interrupted. */
@Command(
    name = "up",
    description = "Starts the demo's servers and keeps them up until Ctrl-C.",
    mixinStandardHelpOptions = true)
final class UpCommand implements Callable<Integer> {
  private static final int INTERRUPTED = 130;

  @Spec private @Nullable CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    if (spec == null) {
      throw new IllegalStateException("run by picocli only");
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

  private static void print(PrintWriter out, Servers servers) {
    out.println("old store   " + servers.legacy());
    out.println("new store   " + servers.scylla());
    out.println("both        " + servers.transition());
    out.println("broker      " + servers.kafka());
    out.println();
    out.println("Ctrl-C ends the servers and deletes their data. Until then, try by hand:");
    out.println();
    out.println(
        "  ./kv migrate run --collection files --layout '"
            + Collections.FILES.layout()
            + "' \\\n"
            + "    --from '"
            + servers.legacy()
            + "' \\\n"
            + "    --to '"
            + servers.scylla()
            + "' \\\n"
            + "    --kafka "
            + servers.kafka());
    out.flush();
  }
}
