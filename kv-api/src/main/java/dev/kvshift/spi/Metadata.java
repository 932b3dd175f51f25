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

  /** Reads a record, or null. */
  CompletionStage<@Nullable Bytes> get(String name);

  /**
   * Lists records whose names begin with the prefix, in the order of their names.
   *
   * @param prefix begins with the whole group and its slash
   * @param after list names above this one only; empty to begin
   * @param limit at most so many, 1 to 1,000
   */
  CompletionStage<SortedMap<String, Bytes>> list(String prefix, String after, int limit);

  /**
   * Sets a record where it is what is expected.
   *
   * <p>An unknown outcome is resolved by the driver with a serial read where that can tell, and
   * otherwise fails as {@code UnknownOutcome}.
   *
   * @param expected the record as it is now; null for none
   * @param next the record as it shall be; null to remove it
   * @return whether it was what was expected, and is now {@code next}
   */
  CompletionStage<Boolean> compareAndSet(
      String name, @Nullable Bytes expected, @Nullable Bytes next);
}
