package dev.kvshift.spi;

/** As what a collection is opened on a store with metadata. */
public enum Claim {
  /** Check the layout only: for a transition store's new side, and for reading. */
  NONE,
  /** The collection is live: the first such open of a new collection makes it so. */
  ACTIVE,
  /** A migration is filling the collection; plain writers are refused until it is activated. */
  IMPORTING
}
