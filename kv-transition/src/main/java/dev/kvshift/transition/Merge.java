package dev.kvshift.transition;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.RangePage.Stop;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The merge of what both sides hold: the newest row of each key wins, tombstones count, and the
 * side that has less gets it: protocol, 11. Both sides return tombstones, so that a key without a
 * row was never deleted there.
 *
 * @param <T> a row or a page of rows
 * @param answer what the newest rows are
 * @param toOld the rows that the old side lacks
 * @param toNew the rows that the new side lacks
 */
public record Merge<T extends @Nullable Object>(T answer, List<Row> toOld, List<Row> toNew) {
  /** Merges the rows of one key. */
  static Merge<@Nullable Row> rows(@Nullable Row old, @Nullable Row fresh) {
    List<Row> toOld = new ArrayList<>();
    List<Row> toNew = new ArrayList<>();
    Row newest = merge(old, fresh, toOld, toNew);
    return new Merge<>(newest, toOld, toNew);
  }

  private static @Nullable Row merge(
      @Nullable Row old, @Nullable Row fresh, List<Row> toOld, List<Row> toNew) {
    Row newest = newest(old, fresh);
    if (newest == null) {
      return null;
    }
    if (lacks(old, newest)) {
      toOld.add(newest);
    }
    if (lacks(fresh, newest)) {
      toNew.add(newest);
    }
    return newest;
  }

  private static @Nullable Row newest(@Nullable Row old, @Nullable Row fresh) {
    return old == null || (fresh != null && Row.PRECEDENCE.compare(fresh, old) > 0) ? fresh : old;
  }

  /** Returns whether a side has less than the newest row of a key. */
  private static boolean lacks(@Nullable Row row, Row newest) {
    if (row == null || row.version() < newest.version()) {
      return true;
    }
    boolean hasJustExpired = newest.isTombstone() && row.expiry() != null;
    return !row.equals(newest) && !hasJustExpired;
  }

  /**
   * Merges two pages of one range. A page says nothing about keys behind the one up to which it was
   * read, so that the merged one ends where the shorter one does, or at the caller's limit.
   */
  public static Merge<RowPage> pages(RowPage old, RowPage fresh, Range range, PageLimit limit) {
    Comparator<Bytes> order =
        range.direction() == Range.Direction.FORWARD
            ? Comparator.naturalOrder()
            : Comparator.reverseOrder();
    RowPage shorter = shorter(old, fresh, order);
    Bytes end = shorter.passed();
    Map<Bytes, Row> oldRows = upTo(end, old, order);
    Map<Bytes, Row> newRows = upTo(end, fresh, order);
    TreeMap<Bytes, Row> all = new TreeMap<>(order);
    all.putAll(oldRows);
    all.putAll(newRows);
    List<Row> rows = new ArrayList<>();
    List<Row> toOld = new ArrayList<>();
    List<Row> toNew = new ArrayList<>();
    Bytes last = null;
    int entries = 0;
    long bytes = 0;
    for (Bytes key : all.keySet()) {
      Row newest = Objects.requireNonNull(newest(oldRows.get(key), newRows.get(key)));
      Bytes value = newest.value();
      if (value != null) {
        long size = (long) key.size() + value.size();
        Stop full =
            entries == limit.entries()
                ? Stop.ENTRY_LIMIT
                : entries > 0 && bytes + size > limit.bytes() ? Stop.BYTE_LIMIT : null;
        if (full != null) {
          return new Merge<>(RowPage.of(rows, full, last), toOld, toNew);
        }
        entries++;
        bytes += size;
      }
      merge(oldRows.get(key), newRows.get(key), toOld, toNew);
      rows.add(newest);
      last = key;
    }
    return new Merge<>(RowPage.of(rows, shorter.stop(), end), toOld, toNew);
  }

  private static RowPage shorter(RowPage old, RowPage fresh, Comparator<Bytes> order) {
    Bytes oldEnd = old.passed();
    Bytes newEnd = fresh.passed();
    if (oldEnd == null || newEnd == null) {
      return oldEnd == null ? fresh : old;
    }
    return order.compare(oldEnd, newEnd) <= 0 ? old : fresh;
  }

  private static Map<Bytes, Row> upTo(@Nullable Bytes end, RowPage page, Comparator<Bytes> order) {
    Map<Bytes, Row> rows = new TreeMap<>();
    for (Row row : page.rows()) {
      Bytes key = row.key().clustering();
      if (end == null || order.compare(key, end) <= 0) {
        rows.put(key, row);
      }
    }
    return rows;
  }
}
