package dev.kvshift.embedded;

import java.io.PrintStream;

/**
 * The main class of a forked broker: formats the folder where it is not yet, then runs the broker.
 * By reflection, so that no class of Kafka is on any other class path. Copied alone onto the
 * child's class path, as {@link ChildMain} is.
 */
final class KafkaMain {
  private KafkaMain() {}

  public static void main(String[] args) throws Exception {
    String properties = args[0];
    String clusterId = args[1];
    String[] format = {"format", "--ignore-formatted", "-t", clusterId, "-c", properties};
    Object code =
        Class.forName("kafka.tools.StorageTool")
            .getMethod("execute", String[].class, PrintStream.class)
            .invoke(null, format, System.out);
    if (!Integer.valueOf(0).equals(code)) {
      System.exit(1);
    }
    Class.forName("kafka.Kafka")
        .getMethod("main", String[].class)
        .invoke(null, (Object) new String[] {properties});
  }
}
