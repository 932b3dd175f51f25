package dev.kvshift.legacy;

import dev.kvshift.api.KvException;
import dev.kvshift.legacy.wire.Failure;
import dev.kvshift.legacy.wire.Failures;
import dev.kvshift.legacy.wire.Reply;
import dev.kvshift.legacy.wire.Request;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A request between its submission and its answer. */
final class PendingRequest {
  /** The kind of a request, which decides whether it may be repeated if it is not answered. */
  enum Kind {
    /** Changes nothing that matters: send it again; without an answer it fails as transient. */
    READ,
    /** Changes nothing the second time: send it again; its outcome can be unknown. */
    REPEATABLE,
    /** Must not be applied twice: send it again only if the server still knows the session. */
    ONCE
  }

  private static final long MAX_MARGIN_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

  final CompletableFuture<Reply> result = new CompletableFuture<>();
  final Kind kind;
  final long deadlineNanos;
  private final Request.Builder request;
  private volatile boolean sent;

  PendingRequest(Request.Builder request, Kind kind, long deadlineNanos) {
    this.request = request;
    this.kind = kind;
    this.deadlineNanos = deadlineNanos;
  }

  long id() {
    return request.getId();
  }

  /** Returns its sequence number in the session, which equals its id; 0 if it needs none. */
  long sequence() {
    return request.getSequence();
  }

  boolean wasSent() {
    return sent;
  }

  boolean isExpired(long now) {
    return deadlineNanos - now <= 0;
  }

  /** Builds the message. Its budget is less than the time left, so that the answer is in time. */
  Request send(long now) {
    sent = true;
    long left = Math.max(0, deadlineNanos - now);
    long budget = left - Math.min(left / 4, MAX_MARGIN_NANOS);
    return request.setBudgetMicros(TimeUnit.NANOSECONDS.toMicros(budget)).build();
  }

  /** Returns the error if no answer came: unknown if the request may have changed something. */
  KvException unanswered(String what, @Nullable Throwable cause) {
    return sent && kind != Kind.READ
        ? new KvException.UnknownOutcome(
            what + "; the write may have been applied: read back", cause)
        : new KvException.Transient(what + "; nothing was applied: try again", cause);
  }

  /**
   * Returns the error that a server has sent. If this version cannot read it, the request has ended
   * nevertheless: a write may have been applied.
   */
  KvException failed(Failure failure, String server) {
    try {
      return Failures.read(failure, server);
    } catch (RuntimeException e) {
      return unanswered(
          server
              + " has sent an error that this version of the library cannot read; upgrade the library",
          e);
    }
  }
}
