package dev.kvshift.examples.transition;

import dev.kvshift.api.Bytes;
import dev.kvshift.testkit.oracle.Linearizability;
import dev.kvshift.testkit.oracle.Linearizability.Operation;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Every request for one key that had or may have had an effect, and the judgement of them. Values
 * are unique: no two writes have the same one, except the attempts of one. Safe for use by many
 * threads.
 */
final class KeyHistory {
  /** The session of a range read, whose entries do not belong to one. */
  static final String NO_SESSION = "";

  private final int number;
  private final AtomicInteger requests = new AtomicInteger();
  private final ConcurrentLinkedQueue<Request> history = new ConcurrentLinkedQueue<>();

  /**
   * One attempt of a client at one instance. Times are those of {@link System#nanoTime}.
   *
   * @param session the client and the life of the instance that it asked
   * @param write whether it is a write; otherwise it is a read
   * @param value the value written or read; null for a delete or a missing key
   * @param answered null if the outcome stayed unknown
   */
  record Request(
      String session, boolean write, @Nullable String value, long called, @Nullable Long answered) {
    private boolean isAcknowledged() {
      return answered != null;
    }
  }

  KeyHistory(int number) {
    this.number = number;
  }

  int number() {
    return number;
  }

  /** Returns the number of requests counted so far. */
  int requests() {
    return requests.get();
  }

  /** Counts a request that begins. */
  void count() {
    requests.incrementAndGet();
  }

  void add(Request request) {
    history.add(request);
  }

  /** Returns the requests in the order of their calls. */
  List<Request> history() {
    List<Request> all = new ArrayList<>(history);
    all.sort(Comparator.comparingLong(Request::called));
    return all;
  }

  /**
   * Returns whether what happened before a moment is linearizable. Of more requests than the oracle
   * can judge, it judges the first.
   */
  boolean isLinearizableUntil(long moment) {
    List<Request> all = history();
    long end =
        all.size() > Linearizability.MAX_OPERATIONS
            ? Math.min(moment, all.get(Linearizability.MAX_OPERATIONS).called())
            : moment;
    List<Operation> before = new ArrayList<>();
    for (Request request : all) {
      Long answered = request.answered();
      boolean ended = answered != null && answered - end < 0;
      // A write in progress at that moment may have taken effect before it, or later.
      if (request.called() - end < 0 && (ended || request.write())) {
        before.add(
            new Operation(
                request.write(),
                bytes(request.value()),
                request.called(),
                ended ? answered : null));
      }
    }
    return Linearizability.isLinearizable(before);
  }

  /**
   * Returns the acknowledged write that a read at the end does not show: one after whose beginning
   * no client wrote what the read shows; null if there is none.
   *
   * @param found what the key has in the end
   */
  @Nullable Request lost(@Nullable String found) {
    for (Request write : history()) {
      if (write.write()
          && write.isAcknowledged()
          && !Objects.equals(write.value(), found)
          && isOlder(found, write.called())) {
        return write;
      }
    }
    return null;
  }

  /**
   * Returns a read that shows less than its session had written or read before; null if there is
   * none.
   *
   * @param from only requests that began then or later count
   */
  @Nullable Request sessionViolation(long from) {
    List<Request> all =
        history().stream()
            .filter(one -> one.called() - from >= 0 && !one.session().equals(NO_SESSION))
            .toList();
    for (Request read : all) {
      if (!read.write() && all.stream().anyMatch(known -> contradicts(known, read))) {
        return read;
      }
    }
    return null;
  }

  /** Returns whether a read shows something certainly older than what its session knew. */
  private boolean contradicts(Request known, Request read) {
    if (!known.session().equals(read.session())
        || known.answered() == null
        || known.answered() - read.called() > 0
        || Objects.equals(known.value(), read.value())) {
      return false;
    }
    if (known.write()) {
      return isOlder(read.value(), known.called());
    }
    // Which of several deletes a missing key shows, or none at all, is not known.
    return known.value() != null && isOlder(read.value(), firstCall(known.value()));
  }

  private long firstCall(@Nullable String value) {
    return writes(value).mapToLong(Request::called).min().orElse(Long.MIN_VALUE);
  }

  /** Returns whether every write of a value had ended at a moment; a missing key is the oldest. */
  private boolean isOlder(@Nullable String value, long moment) {
    return writes(value)
        .allMatch(write -> write.answered() != null && write.answered() - moment < 0);
  }

  private Stream<Request> writes(@Nullable String value) {
    return history.stream().filter(one -> one.write() && Objects.equals(one.value(), value));
  }

  private static @Nullable Bytes bytes(@Nullable String value) {
    return value == null ? null : Bytes.utf8(value);
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("key " + number);
    history()
        .forEach(
            one ->
                text.append("\n  ")
                    .append(one.write() ? "write " : "read  ")
                    .append(one.value())
                    .append(" by ")
                    .append(one.session())
                    .append(" from ")
                    .append(one.called())
                    .append(" to ")
                    .append(one.answered()));
    return text.toString();
  }
}
