package dev.kvshift.embedded.fork;

import java.io.PrintStream;
import java.util.concurrent.CountDownLatch;

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
    out.println("ready");
    new CountDownLatch(1).await();
  }
}
