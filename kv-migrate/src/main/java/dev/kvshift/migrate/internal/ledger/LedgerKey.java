package dev.kvshift.migrate.internal.ledger;

import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.ToIntFunction;

/**
 * The name of a ledger record, or of a group of records, and the format of its members. Immutable.
 *
 * @param <T> the type of the record
 */
public final class LedgerKey<T> {
  /** The format of records that have none newer. */
  static final int FIRST_FORMAT = 1;

  private final String name;
  private final Function<T, Members> print;
  private final Function<Members, T> parse;
  private final int newestFormat;
  private final ToIntFunction<T> format;

  /** Creates a key; the name of a group ends with a slash. */
  LedgerKey(String name, Function<T, Members> print, Function<Members, T> parse) {
    this(name, print, parse, FIRST_FORMAT, record -> FIRST_FORMAT);
  }

  private LedgerKey(
      String name,
      Function<T, Members> print,
      Function<Members, T> parse,
      int newestFormat,
      ToIntFunction<T> format) {
    this.name = name;
    this.print = print;
    this.parse = parse;
    this.newestFormat = newestFormat;
    this.format = format;
  }

  /**
   * Returns the key of records that have a newer format, and those that the key has already.
   *
   * @param needsIt whether a record is written in the newer format, which older runners refuse;
   *     others stay readable for them
   */
  LedgerKey<T> withNewerFormat(int format, Predicate<T> needsIt) {
    return new LedgerKey<>(
        name, print, parse, format, record -> needsIt.test(record) ? format : formatOf(record));
  }

  /** Returns the key of one record of the group. */
  public LedgerKey<T> in(String member) {
    return new LedgerKey<>(name + member, print, parse, newestFormat, format);
  }

  String name() {
    return name;
  }

  int newestFormat() {
    return newestFormat;
  }

  /** Returns the format in which a record is written. */
  int formatOf(T record) {
    return format.applyAsInt(record);
  }

  Members print(T record) {
    return print.apply(record);
  }

  T parse(Members members) {
    return parse.apply(members);
  }
}
