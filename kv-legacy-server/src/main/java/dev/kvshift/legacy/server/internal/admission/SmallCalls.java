package dev.kvshift.legacy.server.internal.admission;

import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Limits the calls that are not streams of drivers: how many there are at once, and by way of
 * {@link InboundBytes} the size of their messages. Safe for use by many threads.
 */
public final class SmallCalls implements ServerInterceptor {
  /** Maximum number of such calls at once: health checks, watches of the health, statistics. */
  public static final int MAX_CALLS = 256;

  private final Set<String> exempt;
  private final AtomicInteger open = new AtomicInteger();

  /**
   * Creates the limit.
   *
   * @param exempt the full names of the methods that are not limited
   */
  public SmallCalls(Set<String> exempt) {
    this.exempt = Set.copyOf(exempt);
  }

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    if (exempt.contains(call.getMethodDescriptor().getFullMethodName())) {
      return next.startCall(call, headers);
    }
    if (open.incrementAndGet() > MAX_CALLS) {
      open.decrementAndGet();
      call.close(
          Status.RESOURCE_EXHAUSTED.withDescription(
              "the server answers " + MAX_CALLS + " such calls already: try again"),
          new Metadata());
      return new ServerCall.Listener<>() {};
    }
    AtomicBoolean counted = new AtomicBoolean(true);
    Runnable ended =
        () -> {
          if (counted.compareAndSet(true, false)) {
            open.decrementAndGet();
          }
        };
    ClosableCall<Q, A> closable = new ClosableCall<>(call);
    InboundBytes inbound = InboundBytes.current();
    if (inbound != null) {
      inbound.endWith(status -> closable.close(status, new Metadata()));
    }
    return new SimpleForwardingServerCallListener<>(next.startCall(closable, headers)) {
      @Override
      public void onCancel() {
        ended.run();
        super.onCancel();
      }

      @Override
      public void onComplete() {
        ended.run();
        super.onComplete();
      }
    };
  }

  /** A call that can be closed by any thread; what it sends after that is dropped. */
  private static final class ClosableCall<Q, A> extends SimpleForwardingServerCall<Q, A> {
    private boolean closed;

    ClosableCall(ServerCall<Q, A> call) {
      super(call);
    }

    @Override
    public synchronized void sendHeaders(Metadata headers) {
      if (!closed) {
        super.sendHeaders(headers);
      }
    }

    @Override
    public synchronized void sendMessage(A message) {
      if (!closed) {
        super.sendMessage(message);
      }
    }

    @Override
    public synchronized void close(Status status, Metadata trailers) {
      if (!closed) {
        closed = true;
        super.close(status, trailers);
      }
    }
  }
}
