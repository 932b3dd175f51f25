package dev.kvshift.api;

/**
 * Chooses main keys whose reads go to the new store first, in phase new-read of a migration: those
 * of test customers, say, before a percentage of all. Other phases, and stores other than {@code
 * transition://}, do not ask it.
 *
 * <p>Which store answers changes no result, so processes may choose differently, and a choice may
 * change at any time. Must be fast, since each read asks it, and safe for use by many threads. If
 * it throws, the main key is not chosen.
 */
@FunctionalInterface
public interface Cohort {
  /** Chooses no main key. */
  Cohort NONE = (collection, main) -> false;

  /**
   * Returns whether a main key is chosen.
   *
   * @param collection the collection's name
   * @param main the main key, as the collection's model encodes it
   */
  boolean includes(String collection, Bytes main);
}
