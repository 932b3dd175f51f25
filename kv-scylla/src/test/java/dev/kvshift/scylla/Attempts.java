package dev.kvshift.scylla;

import com.datastax.oss.driver.api.core.config.DriverExecutionProfile;
import com.datastax.oss.driver.api.core.context.DriverContext;
import com.datastax.oss.driver.api.core.metadata.Node;
import com.datastax.oss.driver.api.core.session.Request;
import com.datastax.oss.driver.api.core.tracker.RequestTracker;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/** Each attempt of each request at a node, counted: what failed, and who answered how often. */
public final class Attempts implements RequestTracker {
  private static final LongAdder FAILED = new LongAdder();
  private static final Map<String, LongAdder> ANSWERED = new ConcurrentHashMap<>();

  /** Called by the native driver. */
  public Attempts(DriverContext context) {}

  /** Attempts that ended with an error or were given up. */
  static long failed() {
    return FAILED.sum();
  }

  /** Attempts that succeeded, by node. */
  static Map<String, Long> answered() {
    Map<String, Long> counts = new TreeMap<>();
    ANSWERED.forEach((node, count) -> counts.put(node, count.sum()));
    return counts;
  }

  @Override
  public void onNodeSuccess(
      Request request,
      long latencyNanos,
      DriverExecutionProfile profile,
      Node node,
      String requestLogPrefix) {
    ANSWERED.computeIfAbsent(node.getEndPoint().toString(), name -> new LongAdder()).increment();
  }

  @Override
  public void onNodeError(
      Request request,
      Throwable error,
      long latencyNanos,
      DriverExecutionProfile profile,
      Node node,
      String requestLogPrefix) {
    FAILED.increment();
  }

  @Override
  public void close() {}
}
