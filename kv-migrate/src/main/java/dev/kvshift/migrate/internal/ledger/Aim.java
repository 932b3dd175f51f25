package dev.kvshift.migrate.internal.ledger;

import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.RunEnd;
import dev.kvshift.migrate.api.Way;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Phase;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Where a step, a cutover or a run takes a collection, and where it was when somebody asked for
 * that.
 *
 * @param target the phase
 * @param from the phase in which the collection was
 * @param epoch the epoch in which it was
 * @param givenUp the services that a cutover leaves behind
 * @param group the collections that move together; empty if it is one alone. The record of the
 *     first of them is the cutover of all; the others say that they still take part.
 * @param hold what a cutover waits for; null if it is not to wait
 * @param run the run whose record it is, or that asks for the step or the cutover; null if a person
 *     asks for one
 */
public record Aim(
    Phase target,
    Phase from,
    long epoch,
    Set<String> givenUp,
    List<String> group,
    @Nullable Hold hold,
    @Nullable Run run) {
  /**
   * The wish that a cutover is made ready, and waits for a person or an hour.
   *
   * @param until when it goes on by itself; null if only a person lets it
   * @param readyUnder the attempt of the lead under which it was found ready; 0 if it was not yet
   */
  public record Hold(@Nullable Instant until, long readyUnder) {
    /** Returns whether its hour has come. */
    public boolean isOver(Instant now) {
      return until != null && !now.isBefore(until);
    }
  }

  /**
   * A run: everything that is not done yet, stage by stage. A step or a cutover that it asks for
   * counts only as long as the run does.
   *
   * @param id its name, drawn when somebody asked for it
   * @param way the kind of cutover
   * @param end where it ends
   * @param asked number of stages that it has asked for
   * @param copy the copy that it fills; null until the migration is prepared
   */
  public record Run(String id, Way way, RunEnd end, int asked, @Nullable Copy copy) {
    /** Returns the last phase before the point of no return. */
    public Phase ready() {
      return way == Way.FENCE ? Phase.LEGACY : Phase.NEW_PRIMARY;
    }

    private Members print() {
      Members members =
          new Members()
              .with("id", id)
              .with("way", way.word())
              .with("end", end.word())
              .with("asked", asked);
      return copy == null ? members : members.with("copyId", copy.toString());
    }

    private static Run parse(Members members) {
      return new Run(
          members.text("id"),
          Way.of(members.text("way")).orElseThrow(IllegalArgumentException::new),
          RunEnd.of(members.text("end")).orElseThrow(IllegalArgumentException::new),
          members.count("asked"),
          members.has("copyId") ? Copy.parse(members.text("copyId")) : null);
    }
  }

  /** Copies the set and the list. */
  public Aim {
    givenUp = Set.copyOf(givenUp);
    group = List.copyOf(group);
  }

  /** Creates the aim of a step. */
  public Aim(Phase target, Phase from, long epoch) {
    this(target, from, epoch, Set.of(), List.of(), null, null);
  }

  /** Creates the aim of a new run. */
  public static Aim ofRun(Way way, RunEnd end, Set<String> givenUp, Phase from, long epoch) {
    Run run = new Run(UUID.randomUUID().toString(), way, end, 0, null);
    return new Aim(run.ready(), from, epoch, givenUp, List.of(), null, run);
  }

  /** Returns the aim with another hold, or without one. */
  public Aim with(@Nullable Hold other) {
    return new Aim(target, from, epoch, givenUp, group, other, run);
  }

  /** Returns the aim of a run that has asked for so many stages, and fills that copy. */
  public Aim progressed(int asked, @Nullable Copy copy) {
    Run now = Objects.requireNonNull(run);
    Run next = new Run(now.id, now.way, now.end, asked, copy);
    return new Aim(target, from, epoch, givenUp, group, hold, next);
  }

  /** Returns the aim of a step, or of the cutover, that this run asks for. */
  public Aim ofStage(Phase to, Phase now, long nowEpoch) {
    return new Aim(to, now, nowEpoch, givenUp, List.of(), null, Objects.requireNonNull(run));
  }

  /** Returns whether it is the aim of a run, or of what that run has asked for. */
  public boolean isOf(@Nullable Run other) {
    return run != null && other != null && run.id.equals(other.id);
  }

  /** Returns whether an older runner would not do what it asks for. */
  boolean isNew() {
    return hold != null || !group.isEmpty();
  }

  /** Returns whether somebody asks for the same again, since which only steps there were taken. */
  public boolean isAskedAgainBy(Aim other) {
    return target == other.target
        && givenUp.equals(other.givenUp)
        && group.equals(other.group)
        && (hold == null) == (other.hold == null)
        && (hold == null || Objects.equals(hold.until, other.hold().until))
        && isSameRun(other.run)
        && isOnItsWay(other.from, other.epoch);
  }

  private boolean isSameRun(@Nullable Run other) {
    if (run == null || other == null) {
      return run == null && other == null;
    }
    return run.way == other.way && run.end == other.end;
  }

  /** Returns whether it goes back. */
  public boolean isBack() {
    return target.compareTo(from) < 0;
  }

  /**
   * Returns whether nothing but steps towards the target has happened since somebody asked. Each
   * step raises the epoch by one, so a collection that somebody has taken the other way meanwhile,
   * and perhaps back again, is in another epoch than the one that belongs to its phase.
   */
  public boolean isOnItsWay(Phase now, long nowEpoch) {
    Phase reached = from;
    long at = epoch;
    while (at < nowEpoch && reached != target) {
      reached = reached.towards(target);
      at++;
    }
    return reached == now && at == nowEpoch;
  }

  /**
   * Checks that nothing but steps towards the target has happened since somebody asked.
   *
   * @throws MigrationException.CutoverRefused if somebody has taken the collection another way
   */
  public void requireOnItsWay(String collection, Gate.State now) {
    if (!isOnItsWay(now.phase(), now.epoch())) {
      throw new MigrationException.CutoverRefused(
          "collection "
              + collection
              + " was in phase "
              + from.word()
              + " when the way to "
              + target.word()
              + " was asked for, and somebody has taken it another way since, to phase "
              + now.phase().word()
              + ": give the command again if it still counts");
    }
  }

  Members print() {
    Members members =
        new Members()
            .with("target", target.word())
            .with("from", from.word())
            .with("epoch", epoch)
            .withTexts("givenUp", List.copyOf(new TreeSet<>(givenUp)));
    if (!group.isEmpty()) {
      members.withTexts("group", group);
    }
    if (hold != null) {
      Members held = new Members().with("readyUnder", hold.readyUnder);
      members.with("hold", hold.until == null ? held : held.with("until", hold.until));
    }
    return run == null ? members : members.with("run", run.print());
  }

  static Aim parse(Members members) {
    return new Aim(
        phase(members.text("target")),
        phase(members.text("from")),
        members.number("epoch"),
        Set.copyOf(members.texts("givenUp")),
        members.has("group") ? members.texts("group") : List.of(),
        members.has("hold") ? hold(members.object("hold")) : null,
        members.has("run") ? Run.parse(members.object("run")) : null);
  }

  private static Hold hold(Members members) {
    return new Hold(
        members.has("until") ? members.instant("until") : null, members.number("readyUnder"));
  }

  private static Phase phase(String word) {
    for (Phase phase : Phase.values()) {
      if (phase.word().equals(word)) {
        return phase;
      }
    }
    throw new IllegalArgumentException("phase '" + word + "'");
  }
}
