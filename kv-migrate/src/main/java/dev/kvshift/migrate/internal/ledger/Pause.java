package dev.kvshift.migrate.internal.ledger;

import java.time.Instant;

/**
 * The wish that hosts leave a collection alone. Ledger key {@code paused}; there is none while they
 * may work.
 *
 * @param by the user who paused it
 * @param at when
 */
public record Pause(String by, Instant at) {
  /** The key of the record. */
  public static final LedgerKey<Pause> KEY =
      new LedgerKey<>(
          "paused",
          pause -> new Members().with("by", pause.by).with("at", pause.at),
          members -> new Pause(members.text("by"), members.instant("at")));
}
