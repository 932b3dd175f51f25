package dev.kvshift.migrate.api;

import java.util.Locale;

/**
 * The result of one check before a migration.
 *
 * @param level whether it hinders the migration
 * @param what what was checked
 * @param evidence what was seen
 * @param risk what happens if it stays so; empty if all is well
 * @param remedy what to do; empty if all is well
 */
public record Finding(Level level, String what, String evidence, String risk, String remedy) {
  /** The weight of a finding. */
  public enum Level {
    /** All is well. */
    OK,
    /** A person has to judge it. */
    WARNING,
    /** The migration, or its cutover, would be refused. */
    BLOCKER;

    /** Returns the level in lower case. */
    public String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Returns the finding that all is well. */
  public static Finding ok(String what, String evidence) {
    return new Finding(Level.OK, what, evidence, "", "");
  }
}
