package dev.kvshift.migrate.api;

import dev.kvshift.spi.Phase;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** The kinds of cutover, by which services change from the old store to the new one. */
public enum Way {
  /**
   * In one step, with a pause of less than a second for writers. Services need nothing but their
   * connection string.
   */
  FENCE,
  /**
   * Phase by phase, without a pause. Services write to both stores for a while, which takes longer,
   * and each phase before the last can be taken back.
   */
  DUAL_WRITE;

  /** Returns the kind's name for people and programs: {@code fence} or {@code dual-write}. */
  public String word() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /**
   * Refuses a collection that the other kind of cutover has taken to a phase.
   *
   * @throws MigrationException.CutoverRefused if it is between the phases of the dual-write cutover
   */
  public void requireFrom(String collection, Phase found) {
    if (this == FENCE && found != Phase.LEGACY) {
      throw new MigrationException.CutoverRefused(
          "collection "
              + collection
              + " is in phase "
              + found
              + " of the dual-write cutover: finish it that way, or roll it back");
    }
  }

  /** Returns the kind of that name; empty if there is none. */
  public static Optional<Way> of(String word) {
    return Arrays.stream(values()).filter(way -> way.word().equals(word)).findFirst();
  }
}
