package dev.kvshift.testkit.clause;

/** An API through which a collection can be called. Most clauses hold for each of them. */
enum CollectionApi {
  /** The SPI that drivers implement. */
  SPI,
  /** The blocking view. */
  SYNC,
  /** The asynchronous view. */
  ASYNC
}
