package dev.kvshift.migrate.internal.ledger;

import java.util.function.Function;

/**
 * The name of a ledger record, or of a group of records, and the format of its members. Immutable.
 *
 * @param <T> the type of the record
 */
public final class LedgerKey<T> {
  private final String name;
  private final Function<T, Members> print;
  private final Function<Members, T> parse;

  /** Creates a key; the name of a group ends with a slash. */
  LedgerKey(String name, Function<T, Members> print, Function<Members, T> parse) {
    this.name = name;
    this.print = print;
    this.parse = parse;
  }

  /** Returns the key of one record of the group. */
  public LedgerKey<T> in(String member) {
    return new LedgerKey<>(name + member, print, parse);
  }

  String name() {
    return name;
  }

  Members print(T record) {
    return print.apply(record);
  }

  T parse(Members members) {
    return parse.apply(members);
  }
}
