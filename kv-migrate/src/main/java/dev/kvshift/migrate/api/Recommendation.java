package dev.kvshift.migrate.api;

import java.util.List;

/**
 * The method that suits a collection, by what a sample has shown of its data. A person decides.
 *
 * @param way the recommended cutover
 * @param leaveToExpireHours the remaining life up to which rows need not be copied; 0 if all do
 * @param reasons what speaks for it, one sentence each
 */
public record Recommendation(Way way, long leaveToExpireHours, List<String> reasons) {
  /** Copies the list. */
  public Recommendation {
    reasons = List.copyOf(reasons);
  }
}
