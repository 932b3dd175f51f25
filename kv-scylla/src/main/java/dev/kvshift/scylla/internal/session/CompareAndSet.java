package dev.kvshift.scylla.internal.session;

import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.Statement;
import dev.kvshift.api.KvException;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Futures;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * One compare-and-set of a row by a conditional statement.
 *
 * <p><b>Problem.</b> A conditional statement takes several rounds between replicas, and an error in
 * a late one does not undo the earlier ones. Even {@code Unavailable} can answer a statement whose
 * proposal was already accepted. A statement that is sent again then finds its own change and
 * reports that another client was faster.
 *
 * <p><b>Idea.</b> Every error of a statement that may have been sent is resolved by a serial read,
 * which first completes or supersedes any proposal in progress.
 *
 * <p><b>Invariants</b>, and what breaks without each:
 *
 * <ul>
 *   <li><b>Only a statement that was certainly not sent counts as not applied at once</b> ({@link
 *       DriverErrors#wasNeverSent}). Otherwise an applied change is reported as failed.
 *   <li><b>The condition names the whole row, and no row comes back once it was replaced</b>: each
 *       has an id of its attempt, or a token that only rises. Otherwise a statement that is sent
 *       again, or arrives late, finds the expected content a second time and undoes the changes in
 *       between.
 *   <li><b>If the row is still the expected one, the statement is sent again</b>, since the first
 *       one may yet be applied. Reporting "not applied" instead would be wrong a moment later.
 *   <li><b>After a lost answer, a third content leaves the outcome unknown</b> ({@link
 *       Outcome#isCertain}): the change may have been applied and replaced.
 * </ul>
 *
 * @param <R> the row, which has to implement {@code equals}
 */
public final class CompareAndSet<R> {
  /** Pause before the row is read or the statement is sent again. */
  private static final Duration PAUSE = Duration.ofMillis(50);

  /** Access to the row. */
  public interface Target<R> {
    /** Returns the name of the change, for errors. */
    String what();

    /** Returns the statement that sets the row to {@code next} if it equals {@code expected}. */
    Statement<?> set(R expected, R next);

    /** Reads the row at serial consistency. */
    CompletionStage<R> get(Call call);

    /** Returns the row in the answer to a statement that was not applied. */
    R row(AsyncResultSet answer);
  }

  /**
   * The row after a compare-and-set.
   *
   * @param row the row as it was found: the new one if the change was applied
   * @param isCertain whether the change was applied exactly if {@code row} is the new one;
   *     otherwise it may have been applied and replaced since
   */
  public record Outcome<R>(R row, boolean isCertain) {}

  private final Requests requests;
  private final Target<R> target;
  private final R expected;
  private final R next;
  private final Call call;

  private CompareAndSet(Requests requests, Target<R> target, R expected, R next, Call call) {
    this.requests = requests;
    this.target = target;
    this.expected = expected;
    this.next = next;
    this.call = call;
  }

  /**
   * Sets the row to {@code next} if it equals {@code expected}. Fails with {@code UnknownOutcome}
   * if neither answers nor serial reads showed the outcome before the deadline.
   */
  public static <R> CompletionStage<Outcome<R>> run(
      Requests requests, Target<R> target, R expected, R next, Call call) {
    return new CompareAndSet<>(requests, target, expected, next, call).send(null);
  }

  /** Sends the statement. {@code earlier} is the error of a statement without a known outcome. */
  private CompletionStage<Outcome<R>> send(@Nullable KvException earlier) {
    return requests
        .write(target.what(), target.set(expected, next), call)
        .handle(
            (answer, error) ->
                error == null
                    ? CompletableFuture.completedFuture(outcome(answer, earlier))
                    : resolve(DriverErrors.ofWrite(target.what(), error), earlier))
        .thenCompose(stage -> stage);
  }

  private Outcome<R> outcome(AsyncResultSet answer, @Nullable KvException earlier) {
    if (answer.wasApplied()) {
      return new Outcome<>(next, true);
    }
    R row = target.row(answer);
    return new Outcome<>(row, earlier == null || row.equals(next));
  }

  private CompletionStage<Outcome<R>> resolve(KvException error, @Nullable KvException earlier) {
    if (earlier == null) {
      return DriverErrors.wasNeverSent(error)
          ? CompletableFuture.failedFuture(error)
          : read(error, error instanceof KvException.Permanent);
    }
    return read(earlier, false);
  }

  /**
   * Reads the outcome of the change.
   *
   * @param isRefused whether the server refused the only statement that was sent
   */
  private CompletionStage<Outcome<R>> read(KvException error, boolean isRefused) {
    return target
        .get(call)
        .handle(
            (row, unread) ->
                unread == null
                    ? found(row, error, isRefused)
                    : unread(Futures.unwrap(unread), error, isRefused))
        .thenCompose(stage -> stage);
  }

  private CompletionStage<Outcome<R>> found(R row, KvException error, boolean isRefused) {
    if (!row.equals(expected)) {
      return CompletableFuture.completedFuture(new Outcome<>(row, row.equals(next)));
    }
    if (isRefused) {
      return CompletableFuture.failedFuture(error);
    }
    return isLate() ? unknown(error) : Futures.after(PAUSE).thenCompose(paused -> send(error));
  }

  private CompletionStage<Outcome<R>> unread(
      Throwable unread, KvException error, boolean isRefused) {
    if (unread instanceof KvException.Transient && !isLate()) {
      return Futures.after(PAUSE).thenCompose(paused -> read(error, isRefused));
    }
    return isRefused && DriverErrors.wasRefusedUnread(error)
        ? CompletableFuture.failedFuture(error)
        : unknown(error);
  }

  private boolean isLate() {
    return call.remaining().compareTo(PAUSE) <= 0;
  }

  private CompletionStage<Outcome<R>> unknown(KvException error) {
    return CompletableFuture.failedFuture(
        error instanceof KvException.UnknownOutcome
            ? error
            : new KvException.UnknownOutcome(
                target.what() + " may have been applied: read it again", error));
  }
}
