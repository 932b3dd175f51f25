package dev.kvshift.migrate.internal.ledger;

import dev.kvshift.migrate.api.Failure;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The state of a task that processes share: whether it is to be done, and who does it. A part of
 * the task's record, so that one compare-and-set changes both the state and the progress.
 *
 * @param status whether the task is to be done, is being done, or has ended
 * @param owner the process that does it, or the last that did; empty before the first attempt
 * @param attempt number of times that the task was taken; never goes back
 * @param renewal number of times that the owner has renewed its lease in this attempt
 * @param lease the time after a renewal for which no other process may take the task
 * @param failures number of failures in a row
 * @param reason the last failure; empty if there was none since the last progress
 * @param failure the kind of the failure for which it stays failed; null in other states, and if an
 *     older runner has recorded it
 */
public record TaskState(
    Status status,
    String owner,
    long attempt,
    long renewal,
    Duration lease,
    int failures,
    String reason,
    @Nullable Failure failure) {
  /** The state of a task that nobody has taken yet. */
  public static final TaskState WANTED =
      new TaskState(Status.WANTED, "", 0, 0, Duration.ZERO, 0, "", null);

  private static final int MAX_REASON_CHARS = 1_000;

  /** Whether a task is to be done. */
  public enum Status {
    /** It is to be done, and nobody does it. */
    WANTED,
    /** Its owner does it. */
    RUNNING,
    /** It is done. */
    DONE,
    /** It has failed, and stays so until it is asked for again. */
    FAILED;

    /** Returns the status as records and people write it. */
    public String word() {
      return name().toLowerCase(Locale.ROOT);
    }

    static Status of(String word) {
      return Arrays.stream(values())
          .filter(status -> status.word().equals(word))
          .findFirst()
          .orElseThrow(() -> new IllegalArgumentException("status '" + word + "'"));
    }
  }

  /** Returns the state in which another process has begun the next attempt. */
  public TaskState takenBy(String newOwner, Duration newLease) {
    return new TaskState(
        Status.RUNNING, newOwner, attempt + 1, 0, newLease, failures, reason, null);
  }

  /** Returns the state after a renewal of the lease. */
  public TaskState renewed() {
    return new TaskState(status, owner, attempt, renewal + 1, lease, failures, reason, failure);
  }

  /** Returns the state after progress, which ends a row of failures. */
  public TaskState advanced() {
    return new TaskState(status, owner, attempt, renewal, lease, 0, "", null);
  }

  /** Returns the state of a task that its owner leaves to others. */
  public TaskState handedOver() {
    return ended(Status.WANTED, failures, reason);
  }

  /** Returns the state of a task that is done. */
  public TaskState done() {
    return ended(Status.DONE, 0, "");
  }

  /** Returns the state of a task that has failed, and is to be retried after a pause. */
  public TaskState failed(String why) {
    return ended(Status.WANTED, failures + 1, shortened(why));
  }

  /** Returns the state of a task that has failed for good. */
  public TaskState failedForGood(Failure kind, String why) {
    return new TaskState(
        Status.FAILED, owner, attempt, renewal, lease, failures + 1, shortened(why), kind);
  }

  /** Returns the state of an ended task that somebody asks for again; another one stays. */
  public TaskState askedAgain() {
    return status == Status.DONE || status == Status.FAILED ? wantedAnew() : this;
  }

  /** Returns the state of a task that is asked for anew; a holder loses it. */
  public TaskState wantedAnew() {
    return ended(Status.WANTED, 0, "");
  }

  /** Returns whether the task is to be done, or is being done. */
  public boolean isPending() {
    return status == Status.WANTED || status == Status.RUNNING;
  }

  /** Returns whether this attempt of this process holds the task. */
  public boolean isHeldBy(String process, long itsAttempt) {
    return status == Status.RUNNING && owner.equals(process) && attempt == itsAttempt;
  }

  private TaskState ended(Status next, int nextFailures, String nextReason) {
    return new TaskState(next, owner, attempt, renewal, lease, nextFailures, nextReason, null);
  }

  private static String shortened(String why) {
    return why.substring(0, Math.min(why.length(), MAX_REASON_CHARS));
  }

  Members print() {
    Members members =
        new Members()
            .with("status", status.word())
            .with("owner", owner)
            .with("attempt", attempt)
            .with("renewal", renewal)
            .withMillis("leaseMillis", lease);
    if (failures != 0 || !reason.isEmpty()) {
      members.with("failures", failures).with("reason", reason);
    }
    return failure == null ? members : members.with("failure", failure.word());
  }

  static TaskState parse(Members members) {
    return new TaskState(
        Status.of(members.text("status")),
        members.text("owner"),
        members.number("attempt"),
        members.number("renewal"),
        members.millis("leaseMillis"),
        members.has("failures") ? members.count("failures") : 0,
        members.has("reason") ? members.text("reason") : "",
        members.has("failure") ? Failure.of(members.text("failure")).orElse(null) : null);
  }
}
