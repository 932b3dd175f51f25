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
 * The mutations that drivers have sent, so that one that is sent twice is applied once. Safe for
 * use by many threads.
 *
 * <p>A session lives in the memory of this process. A driver sends a mutation again only within a
 * session that the server still knows; after a restart, or once the session is forgotten, the
 * outcome of an unanswered mutation is unknown. The outcome of a mutation is kept until the driver
 * reports it as settled. A session without a stream is forgotten after {@link #IDLE}. A session
 * that its driver has closed accepts nothing more.
 *
 * <p>A session belongs to its newest stream. A mutation that arrives on an older one is refused:
 * its repetition on the newer stream may have been applied, answered and settled already, so that
 * nothing would show that it is a repetition, and it would overwrite what was written since.
 */
final class Sessions {
  static final Duration IDLE = Duration.ofMinutes(1);

  /** How often a client without a report is noted: often enough for the ten seconds it counts. */
  static final Duration NOTE_INTERVAL = Duration.ofSeconds(1);

  static final int MAX_SESSIONS = 10_000;
  static final int MAX_UNSETTLED = 4 * LegacyLimits.MAX_IN_FLIGHT;

  private final Map<Long, Session> sessions = new ConcurrentHashMap<>();

  /** The mutations of one driver. Its stream changes when the driver reconnects. */
  private static final class Session {
    final Map<Long, CompletableFuture<Reply>> unsettled = new HashMap<>();
    final Set<String> reported = ConcurrentHashMap.newKeySet();

    /** When a request of the session was last noted as unreported, by collection. */
    final Map<Integer, Long> notedNanos = new ConcurrentHashMap<>();

    @Nullable Attachment stream;
    long idleSinceNanos;
    boolean closed;

    synchronized void attach(Attachment attachment, Collection<Long> repeated) {
      if (closed) {
        throw closedSession();
      }
      Attachment previous = stream;
      stream = attachment;
      unsettled.keySet().retainAll(new HashSet<>(repeated));
      if (previous != null) {
        previous.end.run();
      }
    }

    synchronized void close() {
      closed = true;
      unsettled.clear();
    }

    synchronized boolean isForgotten() {
      return stream == null && System.nanoTime() - idleSinceNanos > IDLE.toNanos();
    }
  }

  /** A stream's hold on its session, which ends when a newer stream attaches. */
  static final class Attachment {
    private final Session session;
    private final boolean resumed;
    private final Runnable end;

    private Attachment(Session session, boolean resumed, Runnable end) {
      this.session = session;
      this.resumed = resumed;
      this.end = end;
    }

    /** Returns whether the server knew the session before. */
    boolean isResumed() {
      return resumed;
    }

    boolean isClosed() {
      synchronized (session) {
        return session.closed;
      }
    }

    /** Takes note of the collections that an instance behind this session has reported. */
    void report(Set<String> collections) {
      session.reported.addAll(collections);
    }

    /** Returns whether an instance behind this session has reported the collection. */
    boolean hasReported(String collection) {
      return session.reported.contains(collection);
    }

    /**
     * Returns whether a request for a collection has to be noted: the last note is a second old.
     */
    boolean isNoteDue(int collection) {
      Long last = session.notedNanos.get(collection);
      return last == null || System.nanoTime() - last >= NOTE_INTERVAL.toNanos();
    }

    /** Takes note that a request for an existing collection was noted. */
    void noted(int collection) {
      session.notedNanos.put(collection, System.nanoTime());
    }

    /** Starts a mutation, or returns the outcome of the one that had the same number. */
    CompletableFuture<Reply> once(long sequence, Supplier<CompletableFuture<Reply>> mutation) {
      synchronized (session) {
        if (session.closed) {
          return CompletableFuture.failedFuture(closedSession());
        }
        if (session.stream != this) {
          return CompletableFuture.failedFuture(
              new KvException.Transient(
                  "the session has a newer stream; nothing was written: send again there"));
        }
        CompletableFuture<Reply> known = session.unsettled.get(sequence);
        if (known != null) {
          return known;
        }
        if (session.unsettled.size() >= MAX_UNSETTLED) {
          return CompletableFuture.failedFuture(
              new KvException.Transient(
                  "the session has "
                      + MAX_UNSETTLED
                      + " unsettled writes; nothing was written: try again"));
        }
        CompletableFuture<Reply> begun = mutation.get();
        session.unsettled.put(sequence, begun);
        return begun;
      }
    }

    /** Forgets the outcomes of mutations that the driver does not send again. */
    void settle(List<Long> sequences) {
      synchronized (session) {
        if (session.stream == this) {
          sequences.forEach(session.unsettled::remove);
        }
      }
    }

    /** Releases the session when its stream ends. */
    void detach() {
      synchronized (session) {
        if (session.stream == this) {
          session.stream = null;
          session.idleSinceNanos = System.nanoTime();
        }
      }
    }
  }

  /**
   * Attaches a stream to a session and ends the stream that the session had.
   *
   * @param unsettled the sequence numbers that the driver may send again; all others are settled
   * @param end ends the stream when a newer one attaches
   * @throws KvException.Permanent if the driver has closed the session
   * @throws KvException.Transient if there are too many sessions
   */
  synchronized Attachment attach(long id, Collection<Long> unsettled, Runnable end) {
    if (sessions.size() >= MAX_SESSIONS) {
      forgetIdle();
    }
    Session known = sessions.get(id);
    Session session = known == null ? new Session() : known;
    if (known == null) {
      if (sessions.size() >= MAX_SESSIONS) {
        throw new KvException.Transient(
            "the server has " + MAX_SESSIONS + " sessions: close some, or try again later");
      }
      sessions.put(id, session);
    }
    Attachment attachment = new Attachment(session, known != null, end);
    session.attach(attachment, unsettled);
    return attachment;
  }

  /** Forgets the sessions that have had no stream for a while. */
  void forgetIdle() {
    sessions.values().removeIf(Session::isForgotten);
  }

  /** Closes a session. It is remembered for as long as an idle one, to refuse late requests. */
  void close(long id) {
    Session session = sessions.get(id);
    if (session != null) {
      session.close();
    }
  }

  private static KvException closedSession() {
    return new KvException.Permanent(
        "the session was closed by its driver; nothing was written: open the store again");
  }
}
