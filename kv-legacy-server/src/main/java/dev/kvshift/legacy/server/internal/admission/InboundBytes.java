package dev.kvshift.legacy.server.internal.admission;

import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.ServerStreamTracer;
import io.grpc.Status;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Counts the bytes of a call's messages while they arrive, and ends the call when they are too
 * many: the transport collects a whole message before it hands it over. Safe for use by many
 * threads.
 */
public final class InboundBytes extends ServerStreamTracer {
  /** The largest message of a call that is not a driver's stream. */
  public static final int MAX_SMALL_BYTES = 4 << 10;

  private static final Context.Key<InboundBytes> KEY = Context.key("inbound-bytes");

  private final MemoryBudget.Account account;
  private final long limit;
  private long partialBytes;
  private long partialSinceNanos;
  private boolean closed;
  private @Nullable Status exceeded;
  private @Nullable Ender ender;

  /** Ends a call. */
  public interface Ender {
    void end(Status status);
  }

  private InboundBytes(MemoryBudget.Account account, long limit) {
    this.account = account;
    this.limit = limit;
  }

  /**
   * Returns a factory that counts the bytes of each call.
   *
   * @param unlimited the methods whose messages only the budget limits
   */
  public static ServerStreamTracer.Factory counting(MemoryBudget budget, Set<String> unlimited) {
    return new ServerStreamTracer.Factory() {
      @Override
      public ServerStreamTracer newServerStreamTracer(String method, Metadata headers) {
        return new InboundBytes(
            budget.account(), unlimited.contains(method) ? Long.MAX_VALUE : MAX_SMALL_BYTES);
      }
    };
  }

  /** Returns the counter of the current call; null outside of one. */
  public static @Nullable InboundBytes current() {
    return KEY.get();
  }

  static Status shortOfMemory() {
    return Status.RESOURCE_EXHAUSTED.withDescription(
        "the server has no memory for a frame of this size now: try again");
  }

  @Override
  public Context filterContext(Context context) {
    return context.withValue(KEY, this);
  }

  /** Returns the account of the call. */
  public MemoryBudget.Account account() {
    return account;
  }

  /** Sets the action that ends the call when its messages are too large. */
  public void endWith(Ender newEnder) {
    Status why;
    synchronized (this) {
      ender = newEnder;
      why = exceeded;
    }
    if (why != null) {
      newEnder.end(why);
    }
  }

  /** Returns the time for which an incomplete message has been arriving; 0 if there is none. */
  public synchronized long partialNanos(long now) {
    return partialBytes == 0 ? 0 : now - partialSinceNanos;
  }

  @Override
  public void inboundWireSize(long bytes) {
    Ender called;
    Status why;
    synchronized (this) {
      if (closed) {
        return;
      }
      if (partialBytes == 0) {
        partialSinceNanos = System.nanoTime();
      }
      partialBytes += bytes;
      if (partialBytes > limit) {
        exceeded =
            Status.RESOURCE_EXHAUSTED.withDescription(
                "a message of this call has at most " + limit + " bytes");
        account.take(bytes);
      } else if (!account.tryTake(bytes)) {
        exceeded = shortOfMemory();
        account.take(bytes);
      }
      why = exceeded;
      called = ender;
    }
    if (why != null && called != null) {
      called.end(why);
    }
  }

  @Override
  public synchronized void inboundMessageRead(int message, long wireBytes, long bytes) {
    account.give(partialBytes);
    partialBytes = 0;
  }

  @Override
  public synchronized void streamClosed(Status status) {
    closed = true;
    account.give(partialBytes);
    partialBytes = 0;
  }
}
