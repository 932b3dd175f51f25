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

/** Counts the attempts of all requests: how many failed, and how many each node answered. */
public final class Attempts implements RequestTracker {
  private static final LongAdder FAILED = new LongAdder();
  private static final Map<String, LongAdder> ANSWERED = new ConcurrentHashMap<>();

  /** Called by the native driver. */
  public Attempts(DriverContext context) {}

  /** Returns the number of attempts that failed or timed out. */
  static long failed() {
    return FAILED.sum();
  }

  /** Returns the number of attempts that succeeded, by node. */
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
