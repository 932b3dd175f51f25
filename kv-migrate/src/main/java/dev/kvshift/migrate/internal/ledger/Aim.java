package dev.kvshift.migrate.internal.ledger;

import dev.kvshift.spi.Phase;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * Where a step or a cutover takes a collection, and where it was when somebody asked for that.
 *
 * @param target the phase
 * @param from the phase in which the collection was
 * @param epoch the epoch in which it was
 * @param givenUp the services that a cutover leaves behind
 */
public record Aim(Phase target, Phase from, long epoch, Set<String> givenUp) {
  /** Copies the set. */
  public Aim {
    givenUp = Set.copyOf(givenUp);
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
    return new Members()
        .with("target", target.word())
        .with("from", from.word())
        .with("epoch", epoch)
        .withTexts("givenUp", List.copyOf(new TreeSet<>(givenUp)));
  }

  static Aim parse(Members members) {
    return new Aim(
        phase(members.text("target")),
        phase(members.text("from")),
        members.number("epoch"),
        Set.copyOf(members.texts("givenUp")));
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
