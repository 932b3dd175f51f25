package dev.kvshift.legacy.server;

import dev.kvshift.api.KvException;
import dev.kvshift.legacy.wire.LegacyLimits;
import dev.kvshift.legacy.wire.Reply;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Which mutations drivers have sent, so that one sent again is not applied again.
 *
 * <p>A session lives in this process only. The rule: a driver sends a mutation again only within a
 * session that the server still knows; where the server has been restarted or has forgotten the
 * session, what was sent and not answered has an unknown outcome. What a mutation gave is kept
 * until the driver says that it has settled; a session without a stream is forgotten after {@link
 * #IDLE}. One that its driver has closed takes nothing more, from a late stream neither.
 */
final class Sessions {
  static final Duration IDLE = Duration.ofMinutes(1);
  static final int MAX_SESSIONS = 10_000;
  static final int MAX_UNSETTLED = 4 * LegacyLimits.MAX_IN_FLIGHT;

  private final Map<Long, Session> sessions = new ConcurrentHashMap<>();

  /** One driver's session; its stream changes when the driver reconnects. */
  static final class Session {
    private final Map<Long, CompletableFuture<Reply>> unsettled = new HashMap<>();
    private final Set<String> reported = ConcurrentHashMap.newKeySet();
    private @Nullable Runnable endStream;
    private long idleSinceNanos;
    private boolean closed;

    /** Begins the mutation, or returns what its first sending gives. */
    synchronized CompletableFuture<Reply> once(
        long sequence, Supplier<CompletableFuture<Reply>> mutation) {
      if (closed) {
        return CompletableFuture.failedFuture(closedSession());
      }
      CompletableFuture<Reply> known = unsettled.get(sequence);
      if (known != null) {
        return known;
      }
      if (unsettled.size() >= MAX_UNSETTLED) {
        return CompletableFuture.failedFuture(
            new KvException.Transient(
                "the session has " + MAX_UNSETTLED + " unsettled writes; nothing was written"));
      }
      CompletableFuture<Reply> begun = mutation.get();
      unsettled.put(sequence, begun);
      return begun;
    }

    /** Takes note of the collections that an instance behind this session has reported. */
    void report(Set<String> collections) {
      reported.addAll(collections);
    }

    /** Returns whether an instance behind this session has reported the collection. */
    boolean hasReported(String collection) {
      return reported.contains(collection);
    }

    synchronized void settle(List<Long> sequences) {
      sequences.forEach(unsettled::remove);
    }

    private synchronized void retain(Collection<Long> sequences) {
      unsettled.keySet().retainAll(sequences);
    }

    private static KvException closedSession() {
      return new KvException.Permanent(
          "the session was closed by its driver; nothing was written: open the store again");
    }

    synchronized boolean isClosed() {
      return closed;
    }

    private synchronized void close() {
      closed = true;
      unsettled.clear();
    }

    private synchronized void attach(Runnable end) {
      if (closed) {
        throw closedSession();
      }
      Runnable previous = endStream;
      endStream = end;
      if (previous != null) {
        previous.run();
      }
    }

    synchronized void detach(Runnable end) {
      if (endStream == end) {
        endStream = null;
        idleSinceNanos = System.nanoTime();
      }
    }

    private synchronized boolean isForgotten() {
      return endStream == null && System.nanoTime() - idleSinceNanos > IDLE.toNanos();
    }
  }

  /** A session and whether the server had known it before. */
  record Attached(Session session, boolean resumed) {}

  /**
   * Attaches a stream to a session, ending the stream that it had.
   *
   * @param unsettled the sequence numbers that the driver may send again; the others have settled
   */
  synchronized Attached attach(long id, Collection<Long> unsettled, Runnable endStream) {
    sessions.values().removeIf(Session::isForgotten);
    Session known = sessions.get(id);
    Session session = known == null ? new Session() : known;
    if (known == null) {
      if (sessions.size() >= MAX_SESSIONS) {
        throw new KvException.Transient(
            "the server has " + MAX_SESSIONS + " sessions: close some, or try again later");
      }
      sessions.put(id, session);
    }
    session.attach(endStream);
    session.retain(new HashSet<>(unsettled));
    return new Attached(session, known != null);
  }

  /** Ends a session that its driver has closed; it is remembered until it would be forgotten. */
  void close(long id) {
    Session session = sessions.get(id);
    if (session != null) {
      session.close();
    }
  }
}
