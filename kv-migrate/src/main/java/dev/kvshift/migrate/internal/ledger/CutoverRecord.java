package dev.kvshift.migrate.internal.ledger;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The last attempt to move the collection, written before its fence. Ledger key {@code cutover}.
 *
 * @param attempt the unique name of the attempt
 * @param incarnation the incarnation of the target's collection
 * @param moved the move, or null if the attempt has not moved the collection (yet)
 */
public record CutoverRecord(String attempt, long incarnation, @Nullable Move moved) {
  /** The key of the record. */
  public static final LedgerKey<CutoverRecord> KEY =
      new LedgerKey<>("cutover", CutoverRecord::print, CutoverRecord::parse);

  /**
   * A move.
   *
   * @param floor F, the version above which the target issues its own
   * @param pause how long writers waited
   */
  public record Move(long floor, Duration pause) {}

  /** Returns the record of an attempt that begins. */
  public static CutoverRecord begin(String attempt, long incarnation) {
    return new CutoverRecord(attempt, incarnation, null);
  }

  /** Returns the record after the move. */
  public CutoverRecord moved(long floor, Duration pause) {
    return new CutoverRecord(attempt, incarnation, new Move(floor, pause));
  }

  Members print() {
    Members members = new Members().with("attempt", attempt).with("incarnation", incarnation);
    return moved == null
        ? members
        : members.with("floor", moved.floor).withMillis("pauseMillis", moved.pause);
  }

  private static CutoverRecord parse(Members members) {
    return new CutoverRecord(
        members.text("attempt"),
        members.number("incarnation"),
        members.has("floor")
            ? new Move(members.number("floor"), members.millis("pauseMillis"))
            : null);
  }
}
