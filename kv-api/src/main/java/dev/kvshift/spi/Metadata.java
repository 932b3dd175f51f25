package dev.kvshift.spi;

import dev.kvshift.api.Bytes;
import java.util.SortedMap;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Small records that a store keeps beside its collections, linearizable per record. Safe for use by
 * many threads and processes.
 *
 * <p>Names are made of segments such as {@code collection/files}: 1 to 256 characters, each {@code
 * a-z 0-9 - _ . : /}. The group of a record is its name up to the first slash; listing is within
 * one group.
 */
public interface Metadata {
  /** The largest record: 64 KiB. */
  int MAX_RECORD_BYTES = 64 << 10;

  /**
   * Returns these records as many processes may read them often: a read shows every change that was
   * acknowledged before it began, but does not wait for one in progress, which a later read may not
   * show again. Some stores order linearizable reads and changes of a whole group one by one, so
   * that those of a fleet would hold each other up.
   */
  default Metadata committed() {
    return this;
  }

  /** Reads a record; null if there is none. */
  CompletionStage<@Nullable Bytes> get(String name);

  /**
   * Lists records whose names begin with the prefix, in the order of their names.
   *
   * @param prefix begins with the whole group and its slash
   * @param after the name after which the list begins; empty to begin
   * @param limit the maximum number of records, 1 to 1,000
   */
  CompletionStage<SortedMap<String, Bytes>> list(String prefix, String after, int limit);

  /**
   * Replaces a record if it is the expected one.
   *
   * <p>The driver resolves an unknown outcome with a serial read if that shows the result, and
   * otherwise fails with {@code UnknownOutcome}.
   *
   * @param expected the current record; null for none
   * @param next the new record; null to remove it
   * @return whether the record was the expected one, and is now {@code next}
   */
  CompletionStage<Boolean> compareAndSet(
      String name, @Nullable Bytes expected, @Nullable Bytes next);
}
