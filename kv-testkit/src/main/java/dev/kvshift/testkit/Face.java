package dev.kvshift.testkit;

/** The faces that a collection has; a clause holds for each. */
enum Face {
  /** The SPI that drivers implement. */
  SPI,
  /** The view that waits. */
  SYNC,
  /** The view that does not. */
  ASYNC
}
