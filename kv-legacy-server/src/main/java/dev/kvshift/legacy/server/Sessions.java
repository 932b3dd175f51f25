package dev.kvshift.legacy.server;

import dev.kvshift.api.KvException;
import dev.kvshift.legacy.server.internal.admission.MemoryBudget;
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
 * <p>What a session keeps is in an account of the process's memory. A mutation whose outcome could
 * not be kept is refused, and an answer that turns out too large is not kept: a repetition of the
 * request fails with an unknown outcome.
 *
 * <p>A session belongs to its newest stream. A mutation that arrives on an older one is refused:
 * its repetition on the newer stream may have been applied, answered and settled already, so that
 * nothing would show that it is a repetition, and it would overwrite what was written since.
 */
final class Sessions {
  static final Duration IDLE = Duration.ofMinutes(1);

  /** The interval at which a client without a report is noted: short against the 10 s it counts. */
  static final Duration NOTE_INTERVAL = Duration.ofSeconds(1);

  static final int MAX_SESSIONS = 10_000;
  static final int MAX_UNSETTLED = 4 * LegacyLimits.MAX_IN_FLIGHT;

  /** The memory of an outcome: a short answer, its future, its place in the session. */
  static final int OUTCOME_BYTES = 512;

  /** The further memory of an error, above all of its stack trace. */
  static final int ERROR_BYTES = 4 << 10;

  /** The memory of a session for each collection that it uses. */
  static final int USE_BYTES = 256;

  private final MemoryBudget memory;
  private final Map<Long, Session> sessions = new ConcurrentHashMap<>();

  Sessions(MemoryBudget memory) {
    this.memory = memory;
  }

  /** A mutation and its outcome. */
  private static final class Outcome {
    CompletableFuture<Reply> answer;
    long bytes = OUTCOME_BYTES;

    Outcome(CompletableFuture<Reply> answer) {
      this.answer = answer;
    }
  }

  /** The mutations of one driver. Its stream changes when the driver reconnects. */
  private static final class Session {
    final MemoryBudget.Account account;
    final Map<Long, Outcome> unsettled = new HashMap<>();
    final Set<String> reported = ConcurrentHashMap.newKeySet();

    /** When a request of the session was last noted as unreported, by collection. */
    final Map<Integer, Long> notedNanos = new ConcurrentHashMap<>();

    @Nullable Attachment stream;
    long idleSinceNanos;
    boolean closed;

    Session(MemoryBudget.Account account) {
      this.account = account;
    }

    synchronized void attach(Attachment attachment, Collection<Long> repeated) {
      if (closed) {
        throw closedSession();
      }
      Attachment previous = stream;
      stream = attachment;
      Set<Long> kept = new HashSet<>(repeated);
      List.copyOf(unsettled.keySet()).stream()
          .filter(sequence -> !kept.contains(sequence))
          .forEach(this::settle);
      if (previous != null) {
        previous.end.run();
      }
    }

    synchronized void close() {
      closed = true;
      List.copyOf(unsettled.keySet()).forEach(this::settle);
    }

    CompletableFuture<Reply> begin(long sequence, Supplier<CompletableFuture<Reply>> mutation) {
      if (!account.tryTake(OUTCOME_BYTES)) {
        return CompletableFuture.failedFuture(
            new KvException.Overloaded(
                "the server has no memory for the outcome now; nothing was written: try again"));
      }
      Outcome outcome;
      try {
        outcome = new Outcome(mutation.get());
      } catch (Throwable e) {
        account.give(OUTCOME_BYTES);
        throw e;
      }
      unsettled.put(sequence, outcome);
      CompletableFuture<Reply> answer = outcome.answer;
      answer.whenComplete((reply, error) -> keep(sequence, outcome, reply));
      return answer;
    }

    /** Takes the memory for an answer, or does not keep the answer. */
    private synchronized void keep(long sequence, Outcome outcome, @Nullable Reply reply) {
      long bytes = reply == null ? ERROR_BYTES : reply.getSerializedSize();
      if (unsettled.get(sequence) != outcome || bytes <= OUTCOME_BYTES) {
        return;
      }
      if (account.tryTake(bytes)) {
        outcome.bytes += bytes;
      } else {
        outcome.answer = CompletableFuture.failedFuture(forgottenOutcome());
      }
    }

    /** Forgets when requests were noted, so that the next ones are noted again. */
    void forgetNotes() {
      account.give((long) USE_BYTES * notedNanos.size());
      notedNanos.clear();
    }

    void settle(long sequence) {
      Outcome settled = unsettled.remove(sequence);
      if (settled != null) {
        account.give(settled.bytes);
      }
    }

    /** Forgets the session if it has had no stream for a while. */
    synchronized boolean forgetIfIdle() {
      if (stream != null || System.nanoTime() - idleSinceNanos <= IDLE.toNanos()) {
        return false;
      }
      close();
      account.give(account.heldBytes());
      return true;
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

    /**
     * Records the collections that an instance behind this session has reported. Without memory for
     * the note, its requests count as those of a client that reports nothing.
     */
    void report(Set<String> collections) {
      for (String collection : collections) {
        if (!hasReported(collection) && session.account.tryTake(USE_BYTES)) {
          session.reported.add(collection);
        }
      }
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

    /** Records that a request for an existing collection was noted. */
    void noted(int collection) {
      synchronized (session) {
        if (session.stream == this
            && (session.notedNanos.containsKey(collection) || session.account.tryTake(USE_BYTES))) {
          session.notedNanos.put(collection, System.nanoTime());
        }
      }
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
        Outcome known = session.unsettled.get(sequence);
        if (known != null) {
          return known.answer;
        }
        if (session.unsettled.size() >= MAX_UNSETTLED) {
          return CompletableFuture.failedFuture(
              new KvException.Transient(
                  "the session has "
                      + MAX_UNSETTLED
                      + " unsettled writes; nothing was written: try again"));
        }
        return session.begin(sequence, mutation);
      }
    }

    /** Forgets the outcomes of mutations that the driver does not send again. */
    void settle(List<Long> sequences) {
      synchronized (session) {
        if (session.stream == this) {
          sequences.forEach(session::settle);
        }
      }
    }

    /** Releases the session when its stream ends. */
    void detach() {
      synchronized (session) {
        if (session.stream == this) {
          session.stream = null;
          session.forgetNotes();
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
    Session session = known == null ? new Session(memory.account()) : known;
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
  synchronized void forgetIdle() {
    sessions.values().removeIf(Session::forgetIfIdle);
  }

  /** Closes a session. It is remembered for as long as an idle one, to refuse late requests. */
  void close(long id) {
    Session session = sessions.get(id);
    if (session != null) {
      session.close();
    }
  }

  private static KvException forgottenOutcome() {
    return new KvException.UnknownOutcome(
        "the server had no memory to keep the answer; the change may have been made: read back");
  }

  private static KvException closedSession() {
    return new KvException.Permanent(
        "the session was closed by its driver; nothing was written: open the store again");
  }
}
