package dev.kvshift.scylla;

import com.datastax.oss.driver.api.core.RequestThrottlingException;
import com.datastax.oss.driver.api.core.context.DriverContext;
import com.datastax.oss.driver.api.core.session.throttling.RequestThrottler;
import com.datastax.oss.driver.api.core.session.throttling.Throttled;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Runs an action just before one of the next requests of its sessions is sent, or instead of it.
 */
public final class GatedThrottler implements RequestThrottler {
  private static final AtomicInteger LEFT = new AtomicInteger();
  private static volatile Runnable action = () -> {};

  /** Called by the native driver. */
  public GatedThrottler(DriverContext context) {}

  /**
   * Runs the action on the sending thread, before the n-th request from now on. If it throws, the
   * request is not sent.
   */
  static void before(int request, Runnable run) {
    action = run;
    LEFT.set(request);
  }

  /** Returns whether the last action has not begun yet. */
  static boolean isArmed() {
    return LEFT.get() > 0;
  }

  static void disarm() {
    LEFT.set(0);
  }

  @Override
  public void register(Throttled request) {
    if (LEFT.get() > 0 && LEFT.decrementAndGet() == 0) {
      try {
        action.run();
      } catch (IllegalStateException e) {
        request.onThrottleFailure(new RequestThrottlingException(String.valueOf(e.getMessage())));
        return;
      }
    }
    request.onThrottleReady(false);
  }

  @Override
  public void signalSuccess(Throttled request) {}

  @Override
  public void signalError(Throttled request, Throwable error) {}

  @Override
  public void signalTimeout(Throttled request) {}

  @Override
  public void close() {}
}
