package dev.kvshift.legacy;

import dev.kvshift.api.KvException;
import dev.kvshift.legacy.wire.Reply;
import dev.kvshift.legacy.wire.Request;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** One request from its submission to its answer. */
final class PendingRequest {
  /** What may be done with a request that was sent and not answered. */
  enum Kind {
    /** Changes nothing, or nothing that matters: send it again; it fails as transient. */
    READ,
    /** Sending it again changes nothing more; its outcome can be unknown. */
    REPEATABLE,
    /** Must not be applied twice: send it again only where the server still knows the session. */
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

  /** Returns its place in the session, which is also its id; 0 where it needs none. */
  long sequence() {
    return request.getSequence();
  }

  boolean wasSent() {
    return sent;
  }

  boolean isExpired(long now) {
    return deadlineNanos - now <= 0;
  }

  /** Builds the message; the server gets a little less time, so that its answer arrives in time. */
  Request send(long now) {
    sent = true;
    long left = Math.max(0, deadlineNanos - now);
    long budget = left - Math.min(left / 4, MAX_MARGIN_NANOS);
    return request.setBudgetMicros(TimeUnit.NANOSECONDS.toMicros(budget)).build();
  }

  /** Returns how it fails where no answer came: unknown where it may have changed something. */
  KvException unanswered(String what, @Nullable Throwable cause) {
    return sent && kind != Kind.READ
        ? new KvException.UnknownOutcome(
            what + "; the write may have been applied: read back", cause)
        : new KvException.Transient(what + "; nothing was applied: try again", cause);
  }
}
