package dev.kvshift.embedded;

import java.io.PrintStream;

/**
 * The main class of a forked broker: formats the folder if it is new, then runs the broker. It uses
 * reflection so that Kafka is on no class path but the broker's. It is copied alone onto that class
 * path, so it uses the JDK and itself only.
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
