package dev.kvshift.migrate.internal.ledger;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A cutover that is ready and waits for a person or an hour. Ledger key {@code postponed}; there is
 * none while no cutover waits.
 *
 * @param run the name under which the run that waits holds the lead; a later one takes over
 * @param since since when it waits
 * @param until when it goes on by itself, or null if only a person lets it
 * @param isLet whether a person has let it go on
 */
public record Postponed(String run, Instant since, @Nullable Instant until, boolean isLet) {
  /** The key of the record. */
  public static final LedgerKey<Postponed> KEY =
      new LedgerKey<>("postponed", Postponed::print, Postponed::parse);

  /** Returns the record once a person has let the cutover go on. */
  public Postponed let() {
    return new Postponed(run, since, until, true);
  }

  private Members print() {
    Members members = new Members().with("run", run).with("since", since).with("let", isLet);
    return until == null ? members : members.with("until", until);
  }

  private static Postponed parse(Members members) {
    return new Postponed(
        members.text("run"),
        members.instant("since"),
        members.has("until") ? members.instant("until") : null,
        members.flag("let"));
  }
}
