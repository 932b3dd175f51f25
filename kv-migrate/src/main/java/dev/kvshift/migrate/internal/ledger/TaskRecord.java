package dev.kvshift.migrate.internal.ledger;

import dev.kvshift.migrate.api.TaskKind;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A task of a collection that somebody has asked for. Ledger key {@code task/KIND}. The parts of
 * the copy are records of their own: {@link CopyTaskGroup}.
 *
 * @param state who works on it
 * @param done the amount that is done, for people; in rows
 * @param total the whole amount, as far as it is known; 0 if it is not
 * @param aim where a step, a cutover or a run goes; null for the other kinds
 * @param note what it waits for, or what has come of it, for people; empty if there is nothing
 */
public record TaskRecord(TaskState state, long done, long total, @Nullable Aim aim, String note)
    implements SharedRecord<TaskRecord> {
  /** The key of all tasks. */
  public static final LedgerKey<TaskRecord> ALL =
      new LedgerKey<>("task/", TaskRecord::print, TaskRecord::parse)
          .withNewerFormat(2, record -> record.aim() != null && record.aim().isNew())
          .withNewerFormat(3, record -> record.aim() != null && record.aim().run() != null);

  /** A task that nobody has taken yet. */
  public static final TaskRecord WANTED = new TaskRecord(TaskState.WANTED, 0, 0, null, "");

  /** The beginning of the note of a task that another command has made void. */
  public static final String WITHDRAWN = "withdrawn: ";

  /** The beginning of the note of a cutover that is ready, and waits. */
  public static final String READY = "ready, and waits for ";

  private static final int MAX_NOTE_CHARS = 1_000;

  /** Shortens the note. */
  public TaskRecord {
    note = note.substring(0, Math.min(note.length(), MAX_NOTE_CHARS));
  }

  /** Returns the key of a task. */
  public static LedgerKey<TaskRecord> key(TaskKind kind) {
    return ALL.in(kind.word());
  }

  @Override
  public TaskRecord with(TaskState next) {
    return new TaskRecord(next, done, total, aim, note);
  }

  /** Returns the record after progress. */
  public TaskRecord progressed(long newDone, long newTotal) {
    return new TaskRecord(state, newDone, newTotal, aim, note);
  }

  /** Returns the record with another note. */
  public TaskRecord noted(String newNote) {
    return new TaskRecord(state, done, total, aim, newNote);
  }

  /** Returns the record with another aim of the same task. */
  public TaskRecord with(Aim newAim) {
    return new TaskRecord(state, done, total, newAim, note);
  }

  /** Returns the record once somebody has asked for it anew; whoever holds it has lost it. */
  public TaskRecord aimed(Aim newAim) {
    return new TaskRecord(state.wantedAnew(), 0, 0, newAim, "");
  }

  /**
   * Returns the record of a cutover that was found ready, and waits.
   *
   * @param lead the attempt of the lead under which it was
   */
  public TaskRecord ready(Aim.Hold hold, long lead) {
    return new TaskRecord(
        state,
        0,
        0,
        Objects.requireNonNull(aim).with(new Aim.Hold(hold.until(), lead)),
        READY + "'cutover --go'" + (hold.until() == null ? "" : ", or until " + hold.until()));
  }

  /** Returns whether it is a cutover that waits for a person or an hour. */
  public boolean isOnHold() {
    return state.isPending() && aim != null && aim.hold() != null;
  }

  /** Returns whether it is the record of a run, or of what that run has asked for. */
  public boolean isOf(Aim.@Nullable Run run) {
    return aim != null && aim.isOf(run);
  }

  /** Returns whether it is a run that ends with a cutover. */
  public boolean isToMove() {
    return aim != null && aim.run() != null && aim.run().end().isMoved();
  }

  /** Returns whether another command has made it void. */
  public boolean isWithdrawn() {
    return state.status() == TaskState.Status.DONE && note.startsWith(WITHDRAWN);
  }

  /** Returns the record once another command has made it void, also after a failure. */
  public TaskRecord withdrawn(String why) {
    return state.status() == TaskState.Status.DONE
        ? this
        : new TaskRecord(state.done(), done, total, aim, WITHDRAWN + why);
  }

  private Members print() {
    Members members =
        new Members().with("state", state.print()).with("done", done).with("total", total);
    if (aim != null) {
      members.with("aim", aim.print());
    }
    return note.isEmpty() ? members : members.with("note", note);
  }

  private static TaskRecord parse(Members members) {
    return new TaskRecord(
        TaskState.parse(members.object("state")),
        members.number("done"),
        members.number("total"),
        members.has("aim") ? Aim.parse(members.object("aim")) : null,
        members.has("note") ? members.text("note") : "");
  }
}
