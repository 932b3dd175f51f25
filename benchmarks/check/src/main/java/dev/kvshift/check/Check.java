package dev.kvshift.check;

import picocli.CommandLine.Model.CommandSpec;

/** One entry of the catalogue. */
sealed interface Check permits TestCheck, ProgramCheck, MutantCheck {
  /** Returns the word that follows {@code ./check}. */
  String name();

  /** Returns the synopsis after the name, as {@code ./check list} shows it; empty for none. */
  String synopsis();

  /** Returns one line for {@code ./check list}. */
  String summary();

  /** Returns the subcommand that carries the check out. */
  CommandSpec command(Checkout checkout);
}
