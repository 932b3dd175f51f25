package dev.kvshift.embedded.fork;

import java.io.PrintStream;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** A child for tests: prints its arguments, then fails or waits for ever. */
final class EchoMain {
  private EchoMain() {}

  public static void main(String[] args) throws InterruptedException {
    PrintStream out = System.out;
    out.println(
        "given "
            + String.join(" ", args)
            + " "
            + System.getProperty("extra")
            + System.getenv("EXTRA"));
    if (args[0].equals("fail")) {
      throw new IllegalStateException("on purpose");
    }
    if (args[0].equals("ends in order")) {
      Runtime.getRuntime().addShutdownHook(new Thread(() -> endInOrder(out)));
    }
    out.println("ready");
    new CountDownLatch(1).await();
  }

  /** Takes longer than the end of the child's input takes to be noticed. */
  private static void endInOrder(PrintStream out) {
    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(500));
    out.println("ended in order");
  }
}
