package dev.kvshift.migrate.internal.ledger;

import java.time.Instant;

/**
 * The wish that hosts leave a collection alone. Ledger key {@code paused}; there is none while they
 * may work.
 *
 * @param by the user who paused it
 * @param at when
 * @param isOfWipe whether it is to end with the command that wipes or retires the collection, whose
 *     next run replaces it if that command dies
 */
public record Pause(String by, Instant at, boolean isOfWipe) {
  /** The key of the record. */
  public static final LedgerKey<Pause> KEY =
      new LedgerKey<>(
          "paused",
          Pause::print,
          members ->
              new Pause(
                  members.text("by"),
                  members.instant("at"),
                  members.has("wipe") && members.flag("wipe")));

  /** Returns a pause that lasts until a person ends it. */
  public static Pause until(String by, Instant at) {
    return new Pause(by, at, false);
  }

  private Members print() {
    Members members = new Members().with("by", by).with("at", at);
    return isOfWipe ? members.with("wipe", true) : members;
  }
}
