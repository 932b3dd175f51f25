package dev.kvshift.migrate.internal.host;

/** The process leaves its task to another one. Ends the task at a place where that is cheap. */
final class HandedOver extends RuntimeException {
  private static final long serialVersionUID = 1;

  HandedOver() {
    super("handed over", null, false, false);
  }
}
