package dev.kvshift.migrate.internal.ledger;

import dev.kvshift.spi.Phase;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Where a step or a cutover takes a collection, and where it was when somebody asked for that.
 *
 * @param target the phase
 * @param from the phase in which the collection was
 * @param epoch the epoch in which it was
 * @param givenUp the services that a cutover leaves behind
 * @param group the collections that move together; empty if it is one alone. The record of the
 *     first of them is the cutover of all; the others say that they still take part.
 * @param hold what a cutover waits for; null if it is not to wait
 */
public record Aim(
    Phase target,
    Phase from,
    long epoch,
    Set<String> givenUp,
    List<String> group,
    @Nullable Hold hold) {
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

  /** Copies the set and the list. */
  public Aim {
    givenUp = Set.copyOf(givenUp);
    group = List.copyOf(group);
  }

  /** Creates the aim of a step. */
  public Aim(Phase target, Phase from, long epoch) {
    this(target, from, epoch, Set.of(), List.of(), null);
  }

  /** Returns the aim with another hold, or without one. */
  public Aim with(@Nullable Hold other) {
    return new Aim(target, from, epoch, givenUp, group, other);
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
        && isOnItsWay(other.from, other.epoch);
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
    return members;
  }

  static Aim parse(Members members) {
    return new Aim(
        phase(members.text("target")),
        phase(members.text("from")),
        members.number("epoch"),
        Set.copyOf(members.texts("givenUp")),
        members.has("group") ? members.texts("group") : List.of(),
        members.has("hold") ? hold(members.object("hold")) : null);
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
