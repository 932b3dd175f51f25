package dev.kvshift.scylla;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.RangePage.Stop;
import dev.kvshift.scylla.internal.cql.CellTtl;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The deletes of a table that kvshift did not make, kept readable in a collection of kvshift's own.
 *
 * <p><b>Problem.</b> Such a table shows neither a delete nor an entry that has expired, and has no
 * room for a row that would. In a migration by clocks, a delete that only the old side has, and
 * that nobody can read there, is undone by the older row of the new side.
 *
 * <p><b>Idea.</b> Before a row is deleted in the table, a dead row of the same version is written
 * here; before one that expires is written there, a note is written here that dies when it expires.
 * A key that the table does not show is looked up here.
 *
 * <p><b>Invariants</b>, and what breaks without each:
 *
 * <ul>
 *   <li><b>Written here first, read here last.</b> Otherwise a key is found in neither place while
 *       its delete is being written, and counts as one that was never deleted.
 *   <li><b>A write whose dead row was written is of unknown outcome unless the table acknowledges
 *       it.</b> A merge may find the dead row, and delete the key on the other side.
 *   <li><b>What the table shows counts</b>, whatever is here: it was put later, or the delete has
 *       not arrived yet.
 *   <li><b>Deletes and notes are rows of their own</b>, by the first byte of the main key.
 *       Otherwise the note of a put that never arrives hides the delete before it.
 * </ul>
 */
final class DeadRows {
  /** The bytes that a main key is longer here. */
  static final int KEY_BYTES = 1;

  private static final Bytes DELETED = Bytes.of((byte) 0);
  private static final Bytes EXPIRING = Bytes.of((byte) 1);
  private static final PageLimit WHOLE = PageLimit.entries(PageLimit.MAX_ENTRIES);

  /** The time around an expiry in which the server and this process may disagree about it. */
  private static final Duration DOUBT = Duration.ofSeconds(1);

  private final String collection;
  private final StoreCollection rows;
  private final VersionClock clock;

  /**
   * Creates the dead rows of a collection.
   *
   * @param rows where they are kept; a collection of the same shape, of a store that keeps deletes
   */
  DeadRows(String collection, StoreCollection rows, VersionClock clock) {
    this.collection = collection;
    this.rows = rows;
    this.clock = clock;
  }

  /**
   * Writes what will explain that the table does not show a row.
   *
   * @return whether anything was written, or had to be
   */
  CompletionStage<Boolean> announce(StoreKey key, Mutation mutation, long version, Call call) {
    Instant expiry = mutation.expiry();
    if (mutation.value() == null) {
      Mutation dead = Mutation.delete().withVersion(version);
      return rows.write(here(DELETED, key), dead, call).thenApply(written -> true);
    }
    if (expiry == null) {
      return CompletableFuture.completedFuture(false);
    }
    Instant end = Instant.ofEpochSecond(CellTtl.exact(expiry).removableSecond());
    Mutation note = Mutation.put(Bytes.empty()).withExpiry(end).withVersion(version);
    return rows.write(here(EXPIRING, key), note, call).thenApply(written -> true);
  }

  /** Returns the tombstone of a key that the table does not show; null if it has none. */
  CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
    return rows.get(here(DELETED, key), call)
        .thenCombine(
            rows.get(here(EXPIRING, key), call),
            (deleted, expired) -> newest(key, dead(deleted), dead(expired)));
  }

  /** Returns a row if it is dead; null if it is a note of what has not expired. */
  private @Nullable Row dead(@Nullable Row row) {
    Instant expiry = row == null ? null : row.expiry();
    if (expiry == null) {
      return row;
    }
    long left = TimeUnit.MILLISECONDS.toMicros(expiry.toEpochMilli()) - clock.nowMicros();
    if (left < TimeUnit.NANOSECONDS.toMicros(DOUBT.toNanos())) {
      throw new KvException.Transient(
          "collection "
              + collection
              + ": an entry has just expired, or is about to be written, and the clocks do not tell"
              + " which: try again");
    }
    return null;
  }

  private static @Nullable Row newest(StoreKey key, @Nullable Row one, @Nullable Row other) {
    if (one == null && other == null) {
      return null;
    }
    long version =
        Math.max(
            one == null ? Long.MIN_VALUE : one.version(),
            other == null ? Long.MIN_VALUE : other.version());
    return Row.tombstone(key, version);
  }

  /** Adds the tombstones between the rows of a page that the table has returned. */
  CompletionStage<RowPage> among(RowPage page, Bytes main, Range range, Call call) {
    Bytes passed = page.passed();
    boolean forward = range.direction() == Range.Direction.FORWARD;
    Range covered =
        passed == null
            ? range
            : forward ? range.withTo(passed, true) : range.withFrom(passed, true);
    return rows.range(DELETED.concat(main), Bytes.empty(), covered, WHOLE, call)
        .thenCombine(
            rows.range(EXPIRING.concat(main), Bytes.empty(), covered, WHOLE, call),
            (deleted, expired) -> merged(page, List.of(deleted, expired), main, forward));
  }

  private RowPage merged(RowPage page, List<RowPage> here, Bytes main, boolean forward) {
    Comparator<Bytes> order = forward ? Comparator.naturalOrder() : Comparator.reverseOrder();
    TreeMap<Bytes, Row> all = new TreeMap<>(order);
    page.rows().forEach(row -> all.put(row.key().clustering(), row));
    Bytes end = null;
    for (RowPage dead : here) {
      Bytes passed = dead.passed();
      if (passed != null && (end == null || order.compare(passed, end) < 0)) {
        end = passed;
      }
      for (Row row : dead.rows()) {
        StoreKey key = StoreKey.of(main, row.key().clustering());
        Row held = all.get(key.clustering());
        if (held == null || held.isTombstone()) {
          Row newest = newest(key, held, dead(row));
          if (newest != null) {
            all.put(key.clustering(), newest);
          }
        }
      }
    }
    return end == null
        ? RowPage.of(List.copyOf(all.values()), page.stop(), page.passed())
        : RowPage.of(List.copyOf(all.headMap(end, true).values()), Stop.SCAN_LIMIT, end);
  }

  /** Returns a page of the keys whose tombstones are here, with the versions of these. */
  CompletionStage<ScanPage> scan(
      ScanTask task, @Nullable Bytes position, PageLimit limit, Call call) {
    return rows.scan(task, position, limit, call)
        .thenApply(
            page -> {
              List<Row> dead = new ArrayList<>();
              for (Row row : page.rows()) {
                if (row.isTombstone()) {
                  StoreKey key = row.key();
                  Bytes main = key.main().slice(KEY_BYTES, key.main().size());
                  dead.add(Row.tombstone(StoreKey.of(main, key.clustering()), row.version()));
                }
              }
              return ScanPage.of(dead, page.next());
            });
  }

  private static StoreKey here(Bytes kind, StoreKey key) {
    return StoreKey.of(kind.concat(key.main()), key.clustering());
  }
}
