package dev.kvshift.scylla.internal.session;

import com.datastax.oss.driver.api.core.AllNodesFailedException;
import com.datastax.oss.driver.api.core.DriverException;
import com.datastax.oss.driver.api.core.DriverTimeoutException;
import com.datastax.oss.driver.api.core.InvalidKeyspaceException;
import com.datastax.oss.driver.api.core.NoNodeAvailableException;
import com.datastax.oss.driver.api.core.NodeUnavailableException;
import com.datastax.oss.driver.api.core.RequestThrottlingException;
import com.datastax.oss.driver.api.core.UnsupportedProtocolVersionException;
import com.datastax.oss.driver.api.core.auth.AuthenticationException;
import com.datastax.oss.driver.api.core.connection.BusyConnectionException;
import com.datastax.oss.driver.api.core.connection.ClosedConnectionException;
import com.datastax.oss.driver.api.core.connection.ConnectionInitException;
import com.datastax.oss.driver.api.core.connection.FrameTooLongException;
import com.datastax.oss.driver.api.core.connection.HeartbeatException;
import com.datastax.oss.driver.api.core.metadata.Node;
import com.datastax.oss.driver.api.core.servererrors.BootstrappingException;
import com.datastax.oss.driver.api.core.servererrors.InvalidConfigurationInQueryException;
import com.datastax.oss.driver.api.core.servererrors.OverloadedException;
import com.datastax.oss.driver.api.core.servererrors.ProtocolError;
import com.datastax.oss.driver.api.core.servererrors.QueryValidationException;
import com.datastax.oss.driver.api.core.servererrors.ReadFailureException;
import com.datastax.oss.driver.api.core.servererrors.ReadTimeoutException;
import com.datastax.oss.driver.api.core.servererrors.UnavailableException;
import dev.kvshift.api.KvException;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Futures;
import java.nio.channels.ClosedChannelException;
import java.security.cert.CertificateException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * Maps the native driver's errors to the contract's. An error that is not listed leaves the outcome
 * of a write unknown. So does a listed one if the native driver had retried, and an earlier attempt
 * may have been applied.
 */
public final class DriverErrors {
  private enum Effect {
    NOT_APPLIED,
    REFUSED,
    UNKNOWN
  }

  /** Failure code of a replica that met too many tombstones; sent since protocol version 5. */
  private static final int TOO_MANY_TOMBSTONES = 1;

  private static final int MAX_NAMED_NODES = 3;
  private static final String RATE_LIMIT = "rate limit";

  /** Ends the message if nothing was sent to a replica. */
  private static final String BY_COORDINATOR = "rejected by coordinator";

  private DriverErrors() {}

  /** Returns the error of a read. */
  public static KvException ofRead(String what, Throwable thrown) {
    Throwable error = Futures.unwrap(thrown);
    if (error instanceof KvException known) {
      return known;
    }
    if (error instanceof ReadFailureException failure
        && failure.getReasonMap().containsValue(TOO_MANY_TOMBSTONES)) {
      return new KvException.Transient(
          what
              + " failed, the server met more deleted or expired rows than it allows for one read:"
              + " try again, which reads less at a time, or wait until they are purged",
          error);
    }
    return effect(error) == Effect.REFUSED
        ? refused(what, error)
        : again(what + " failed, " + reason(error) + ": try again", error);
  }

  /** Returns the error of a connection that was never made. */
  static KvException ofConnecting(Settings settings, Throwable thrown) {
    Throwable error = Futures.unwrap(thrown);
    String what = "connecting to " + settings;
    return error instanceof AllNodesFailedException && effect(error) != Effect.REFUSED
        ? again(what + " failed, " + reason(error) + ": check the hosts, and that they run", error)
        : ofRead(what, error);
  }

  /** Returns the error of a write. */
  public static KvException ofWrite(String what, Throwable thrown) {
    Throwable error = Futures.unwrap(thrown);
    if (error instanceof KvException known) {
      return known;
    }
    return switch (effect(error)) {
      case REFUSED -> refused(what, error);
      case NOT_APPLIED -> again(what + " was not applied, " + reason(error) + ": try again", error);
      case UNKNOWN ->
          new KvException.UnknownOutcome(
              what + " may have been applied, " + reason(error) + ": read back or write again",
              error);
    };
  }

  /**
   * Returns the error of a read that met page after page without a live row. ScyllaDB does not
   * refuse such a read, but ends a page after 10,000 tombstones.
   */
  public static KvException onlyDeadRows(String what) {
    return new KvException.Transient(
        what
            + " met only deleted or expired rows before its deadline: try again, which reads less"
            + " at a time");
  }

  /** Returns whether a narrower read may succeed: this one met too many dead rows, or took long. */
  public static boolean isOfTooMuch(KvException error, Call call) {
    Throwable cause = error.getCause();
    return (error instanceof KvException.Transient && call.isExpired())
        || cause instanceof ReadFailureException
        || cause instanceof ReadTimeoutException
        || cause instanceof DriverTimeoutException;
  }

  /**
   * Returns whether the request of an error of this driver certainly never left the process. Only
   * then a conditional statement counts as not applied.
   */
  static boolean wasNeverSent(KvException error) {
    Throwable cause = error.getCause();
    return cause == null ? !(error instanceof KvException.UnknownOutcome) : isOfNothingSent(cause);
  }

  /** Returns whether nothing of a request was sent to any node. */
  static boolean isOfNothingSent(Throwable error) {
    if (error instanceof AllNodesFailedException all) {
      return each(all).allMatch(DriverErrors::isOfNothingSent);
    }
    return error instanceof RequestThrottlingException
        || error instanceof BusyConnectionException
        || error instanceof NodeUnavailableException;
  }

  /** Returns whether a request failed only because no node had a connection, or each was lost. */
  static boolean isOfNoConnection(Throwable thrown) {
    Throwable error = Futures.unwrap(thrown);
    if (error instanceof AllNodesFailedException all) {
      return each(all).allMatch(DriverErrors::isOfNoConnection);
    }
    return error instanceof NodeUnavailableException
        || error instanceof ClosedConnectionException
        || error instanceof HeartbeatException
        || error instanceof ClosedChannelException;
  }

  /**
   * Returns whether a read of several rows may have failed for one of them alone, or for being one
   * of several: the server refused it, or a replica met an error.
   */
  public static boolean mayBeOfOneRow(KvException error) {
    return wasRefusedUnread(error) || error.getCause() instanceof ReadFailureException;
  }

  /** Returns whether the server refused a statement when it parsed or authorized it. */
  public static boolean wasRefusedUnread(KvException error) {
    return error.getCause() instanceof QueryValidationException;
  }

  private static Stream<Throwable> each(AllNodesFailedException all) {
    return all.getAllErrors().values().stream().flatMap(List::stream);
  }

  private static KvException again(String text, Throwable error) {
    return isOfLoad(error)
        ? new KvException.Overloaded(text, error)
        : new KvException.Transient(text, error);
  }

  /**
   * Returns whether ScyllaDB's limit of requests to one partition was reached. Clients that do not
   * know its own error code get that of a wrong configuration.
   */
  private static boolean isOfRate(Throwable error) {
    return error instanceof InvalidConfigurationInQueryException
        && String.valueOf(error.getMessage()).contains(RATE_LIMIT);
  }

  private static boolean isOfLoad(Throwable error) {
    if (error instanceof AllNodesFailedException all) {
      return each(all).anyMatch(DriverErrors::isOfLoad);
    }
    return error instanceof RequestThrottlingException
        || error instanceof OverloadedException
        || isOfRate(error)
        || error instanceof BusyConnectionException;
  }

  private static Effect effect(Throwable error) {
    Effect effect = effectAlone(error);
    if (effect != Effect.UNKNOWN && isUnknownBefore(error)) {
      return Effect.UNKNOWN;
    }
    return effect;
  }

  private static Effect effectAlone(Throwable error) {
    if (error instanceof NoNodeAvailableException) {
      return Effect.NOT_APPLIED;
    }
    if (error instanceof AllNodesFailedException all) {
      return effectOfAll(all);
    }
    if (isOfRate(error)) {
      // If replicas reject, others may have accepted the write.
      return String.valueOf(error.getMessage()).endsWith(BY_COORDINATOR)
          ? Effect.NOT_APPLIED
          : Effect.UNKNOWN;
    }
    if (error instanceof QueryValidationException
        || error instanceof InvalidKeyspaceException
        || error instanceof AuthenticationException
        || error instanceof FrameTooLongException
        || error instanceof UnsupportedProtocolVersionException
        || error instanceof ProtocolError
        || (error instanceof ConnectionInitException && isOfCertificate(error))) {
      return Effect.REFUSED;
    }
    if (error instanceof UnavailableException
        || error instanceof OverloadedException
        || error instanceof BootstrappingException
        || error instanceof RequestThrottlingException
        || error instanceof BusyConnectionException
        || error instanceof NodeUnavailableException
        || error instanceof ConnectionInitException) {
      return Effect.NOT_APPLIED;
    }
    return Effect.UNKNOWN;
  }

  private static boolean isOfCertificate(Throwable error) {
    for (Throwable cause = error.getCause(); cause != null; cause = cause.getCause()) {
      if (cause instanceof CertificateException) {
        return true;
      }
    }
    return false;
  }

  private static Effect effectOfAll(AllNodesFailedException all) {
    Effect effect = Effect.NOT_APPLIED;
    for (List<Throwable> errors : all.getAllErrors().values()) {
      for (Throwable error : errors) {
        Effect one = effectAlone(error);
        if (one == Effect.UNKNOWN) {
          return Effect.UNKNOWN;
        }
        if (one == Effect.REFUSED) {
          effect = Effect.REFUSED;
        }
      }
    }
    return effect;
  }

  private static boolean isUnknownBefore(Throwable error) {
    if (!(error instanceof DriverException failure) || failure.getExecutionInfo() == null) {
      return false;
    }
    Collection<? extends Map.Entry<?, Throwable>> before = failure.getExecutionInfo().getErrors();
    return before.stream().anyMatch(entry -> effectAlone(entry.getValue()) == Effect.UNKNOWN);
  }

  private static KvException refused(String what, Throwable error) {
    return new KvException.Permanent(
        what + " was refused, " + reason(error) + ": fix the request or the server's configuration",
        error);
  }

  /** Returns a node's address without what the JDK adds to it. */
  private static String named(Node node) {
    String address = String.valueOf(node.getEndPoint());
    return address.replace("/<unresolved>", "").replaceFirst("^/", "");
  }

  /**
   * Returns the innermost cause, which alone says what a person can act on. What lies within an
   * error of TLS says less than that.
   */
  private static String root(Throwable error) {
    Throwable root = error;
    while (root.getCause() != null && !(root instanceof SSLException)) {
      root = root.getCause();
    }
    if (root instanceof ClosedChannelException) {
      return "connection refused or closed";
    }
    String type = root.getClass().getSimpleName();
    return root.getMessage() == null ? type : type + ": " + root.getMessage();
  }

  private static String reason(Throwable error) {
    if (error instanceof RequestThrottlingException) {
      return "too many requests are in flight and waiting (maxInFlight, maxQueued)";
    }
    if (error instanceof AllNodesFailedException all && !all.getAllErrors().isEmpty()) {
      return "no node answered: "
          + all.getAllErrors().entrySet().stream()
              .limit(MAX_NAMED_NODES)
              .map(node -> named(node.getKey()) + " (" + root(node.getValue().get(0)) + ")")
              .collect(Collectors.joining(", "));
    }
    @Nullable String message = error.getMessage();
    String type = error.getClass().getSimpleName();
    return message == null ? type : type + ": " + message;
  }
}
