package dev.kvshift.bench.scylla;

import com.datastax.oss.driver.api.core.CqlSession;
import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.Key;
import dev.kvshift.api.Layout;
import dev.kvshift.bench.measure.BenchNode;
import dev.kvshift.embedded.fork.ForkedJvm;
import dev.kvshift.model.Stores;
import java.io.File;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A process that opens a store, as a service does when it starts, reads one entry, and reports what
 * that took. Classes are loaded and compiled as in any young process.
 */
final class StartProbe {
  static final String NOTHING = "nothing";
  static final String RAW = "native driver";
  static final String OURS = "kv-scylla";

  /** The key of an entry of the first collection that is opened. */
  private static final byte[] KEY = {1};

  private static final int IN_FLIGHT = 1_024;
  private static final Duration LIMIT = Duration.ofMinutes(10);
  private static final Pattern RESULT = Pattern.compile("probe: (\\d+) ns (\\d+) threads (\\d+) B");

  /**
   * The report of such a process.
   *
   * @param nanos from before the store was opened until the entry was read
   * @param threads Java threads afterwards
   * @param heapBytes used by live objects afterwards
   */
  record Result(long nanos, int threads, long heapBytes) {}

  private StartProbe() {}

  /** Creates the first collection with the entry that processes read. */
  static void prepare(KvStore store) {
    store.collection(SeveralKeys.POINTS, Layout.point()).put(Key.of(Bytes.of(KEY)), Bytes.of(KEY));
  }

  /**
   * Runs a process.
   *
   * @param contender {@link #NOTHING} opens nothing
   * @param connectionString also tells the native driver where the node is
   * @param collections the number of collections that kv-scylla opens
   */
  static Result run(String contender, String connectionString, int collections, Path folder)
      throws Exception {
    ForkedJvm process =
        ForkedJvm.builder("probe", StartProbe.class.getName())
            .classPath(
                Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator, -1))
                    .map(Path::of)
                    .toList())
            .jvmArgs(List.of("-Xms256m", "-Xmx256m", "-XX:+UseSerialGC"))
            .args(List.of(contender, connectionString, Integer.toString(collections)))
            .folder(folder)
            .start();
    try {
      int code = process.onExit().get(LIMIT.toSeconds(), TimeUnit.SECONDS);
      List<String> output = process.logTail();
      for (String line : output) {
        Matcher result = RESULT.matcher(line);
        if (code == 0 && result.matches()) {
          return new Result(
              Long.parseLong(result.group(1)),
              Integer.parseInt(result.group(2)),
              Long.parseLong(result.group(3)));
        }
      }
      throw new IllegalStateException(
          "a process that opens "
              + contender
              + " ended with code "
              + code
              + ": "
              + String.join("\n", output));
    } finally {
      process.kill();
    }
  }

  public static void main(String[] args) throws Exception {
    int collections = Integer.parseInt(args[2]);
    long start = System.nanoTime();
    AutoCloseable opened =
        switch (args[0]) {
          case RAW -> readRaw(ConnectionString.parse(args[1]));
          case OURS -> read(args[1]);
          default -> () -> {};
        };
    try {
      long nanos = System.nanoTime() - start;
      if (opened instanceof KvStore store) {
        for (int i = 1; i < collections; i++) {
          store.collection(SeveralKeys.POINTS + i, Layout.point()).get(Key.of(Bytes.of(KEY)));
        }
      }
      for (int i = 0; i < 3; i++) {
        System.gc();
      }
      System.out.printf(
          "probe: %d ns %d threads %d B%n",
          nanos,
          ManagementFactory.getThreadMXBean().getThreadCount(),
          ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
    } finally {
      opened.close();
    }
  }

  private static KvStore read(String connectionString) {
    KvStore store = Stores.connect(connectionString);
    KvCollection points = store.collection(SeveralKeys.POINTS, Layout.point());
    if (points.get(Key.of(Bytes.of(KEY))).isEmpty()) {
      throw new IllegalStateException("the entry is lost");
    }
    return store;
  }

  private static CqlSession readRaw(ConnectionString string) throws Exception {
    ConnectionString.Host host = string.hosts().get(0);
    CqlSession session =
        BenchNode.rawSession(
            new InetSocketAddress(host.name(), host.port().orElseThrow()),
            string.parameter("localDatacenter").orElseThrow(),
            IN_FLIGHT);
    new NativeDriverPoints(session, SeveralKeys.pointsTable()).get(KEY).toCompletableFuture().get();
    return session;
  }
}
