package dev.kvshift.scylla.internal.session;

import com.datastax.oss.driver.api.core.ConsistencyLevel;
import com.datastax.oss.driver.api.core.context.DriverContext;
import com.datastax.oss.driver.api.core.retry.RetryDecision;
import com.datastax.oss.driver.api.core.servererrors.CoordinatorException;
import com.datastax.oss.driver.api.core.servererrors.WriteType;
import com.datastax.oss.driver.api.core.session.Request;
import com.datastax.oss.driver.internal.core.retry.DefaultRetryPolicy;

/**
 * Retries idempotent statements as the native driver does by default. Rethrows the errors of all
 * others, which are conditional: a retry finds its condition false if the first attempt was
 * applied, and hides that.
 *
 * <p>This is one policy for all statements, not an execution profile for conditional ones, because
 * the native driver records every answer once per profile. It is public because the native driver
 * loads it by name.
 */
@SuppressWarnings("deprecation")
public final class RepeatIdempotent extends DefaultRetryPolicy {
  /** Called by the native driver. */
  public RepeatIdempotent(DriverContext context, String profile) {
    super(context, profile);
  }

  @Override
  public RetryDecision onReadTimeout(
      Request request,
      ConsistencyLevel consistency,
      int blockFor,
      int received,
      boolean dataPresent,
      int retryCount) {
    return mayRepeat(request)
        ? super.onReadTimeout(request, consistency, blockFor, received, dataPresent, retryCount)
        : RetryDecision.RETHROW;
  }

  @Override
  public RetryDecision onWriteTimeout(
      Request request,
      ConsistencyLevel consistency,
      WriteType writeType,
      int blockFor,
      int received,
      int retryCount) {
    return mayRepeat(request)
        ? super.onWriteTimeout(request, consistency, writeType, blockFor, received, retryCount)
        : RetryDecision.RETHROW;
  }

  @Override
  public RetryDecision onUnavailable(
      Request request, ConsistencyLevel consistency, int required, int alive, int retryCount) {
    return mayRepeat(request)
        ? super.onUnavailable(request, consistency, required, alive, retryCount)
        : RetryDecision.RETHROW;
  }

  @Override
  public RetryDecision onRequestAborted(Request request, Throwable error, int retryCount) {
    return mayRepeat(request)
        ? super.onRequestAborted(request, error, retryCount)
        : RetryDecision.RETHROW;
  }

  @Override
  public RetryDecision onErrorResponse(
      Request request, CoordinatorException error, int retryCount) {
    return mayRepeat(request)
        ? super.onErrorResponse(request, error, retryCount)
        : RetryDecision.RETHROW;
  }

  private static boolean mayRepeat(Request request) {
    return Boolean.TRUE.equals(request.isIdempotent());
  }
}
