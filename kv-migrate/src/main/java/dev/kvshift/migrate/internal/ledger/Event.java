package dev.kvshift.migrate.internal.ledger;

import dev.kvshift.migrate.api.RepairReport;
import dev.kvshift.migrate.api.Step;
import dev.kvshift.spi.Phase;
import java.time.Instant;
import java.util.Locale;

/**
 * An entry of the migration's event log: what happened, to whose command, and when. Ledger key
 * {@code event/SECONDS-NANOS}, the time since 1970, so that listing events sorts them. Immutable.
 */
public final class Event {
  /** The key of all events. */
  public static final LedgerKey<Event> ALL =
      new LedgerKey<>("event/", event -> event.members, Event::new);

  private final Members members;

  private Event(Members members) {
    this.members = members;
  }

  /** Somebody has given a command, whose words these are. */
  public static Event command(String words) {
    return of(new Members().with("command", words), "command");
  }

  /** The loss of a quarantined key was accepted. */
  static Event dropped(String digest, AcceptedLoss loss) {
    return of(
        new Members()
            .with("key", digest)
            .with("version", loss.lost().version())
            .with("reason", loss.lost().reason()),
        "drop");
  }

  /** A copy was wiped, to begin again or because the migration was given up. */
  public static Event wiped(ResetRecord reset, String source) {
    return of(
        new Members()
            .with("copy", reset.from().toString())
            .with("incarnation", reset.incarnation())
            .with("topic", reset.topic())
            .with("source", source),
        reset.isAbort() ? "abort" : "reset");
  }

  /** The old side's traces of a migration were deleted. */
  public static Event retired(String topic) {
    return of(new Members().with("topic", topic), "retire");
  }

  /** A step has ended, with the amount of its work in its unit. */
  public static Event stepEnded(Step step, long done) {
    return of(new Members().with("done", done), step.word());
  }

  /** Differing keys were repaired. */
  public static Event repaired(RepairReport report) {
    return of(
        new Members().with("repaired", report.repaired()).with("left", report.left()), "repair");
  }

  /** An attempt is about to fence the writers. */
  public static Event fencing(CutoverRecord attempt) {
    return of(attempt.print(), "fence");
  }

  /** An attempt's fence was lifted. */
  public static Event lifted(String attempt, String why) {
    return of(new Members().with("attempt", attempt).with("why", why), "lifted");
  }

  /** An attempt has moved the collection, under the certificate that has this hash. */
  public static Event moved(CutoverRecord attempt, String certificate) {
    return of(attempt.print().with("certificate", certificate), "moved");
  }

  /** An attempt is about to seal the source. */
  public static Event sealing(CutoverRecord attempt) {
    return of(attempt.print(), "seal");
  }

  /** The collection was taken from one phase to another, whose epoch this is. */
  public static Event stepped(Phase from, Phase to, long epoch) {
    return of(
        new Members().with("from", from.word()).with("to", to.word()).with("epoch", epoch),
        "phase");
  }

  /** Returns the same event, which has happened under the certificate that has this hash. */
  public Event under(String certificate) {
    return new Event(new Members().withAll(members).with("certificate", certificate));
  }

  /**
   * The collection was taken back after its move, under the certificate that has this hash.
   *
   * @param epoch the epoch in which its source leads again
   */
  public static Event wentBack(long epoch, String certificate) {
    return of(
        new Members()
            .with("from", Phase.NEW_PRIMARY.word())
            .with("to", Phase.LEGACY.word())
            .with("epoch", epoch)
            .with("certificate", certificate),
        "back");
  }

  private static Event of(Members details, String what) {
    return new Event(details.with("what", what));
  }

  static LedgerKey<Event> key(Instant at) {
    return ALL.in(String.format(Locale.ROOT, "%013d-%09d", at.getEpochSecond(), at.getNano()));
  }

  Event by(String who, String host, Instant at) {
    return new Event(
        new Members().withAll(members).with("who", who).with("host", host).with("at", at));
  }

  /** Returns the event as JSON. */
  @Override
  public String toString() {
    return members.toString();
  }
}
