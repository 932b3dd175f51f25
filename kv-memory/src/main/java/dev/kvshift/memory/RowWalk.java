package dev.kvshift.memory;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException.InvalidArgument;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.Range.Direction;
import dev.kvshift.api.RangePage.Stop;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.StoreKey;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Cuts the rows of a range or a scan into pages.
 *
 * @param tombstones whether deleted and expired rows are shown, as tombstones
 */
record RowWalk(boolean tombstones) {
  static final int MAX_DEAD_PER_PAGE = 1_000;
  private static final int MAX_TASKS = 1 << 16;
  private static final Bytes NUL = Bytes.of((byte) 0);

  @Nullable Row shown(@Nullable Row row, Instant now) {
    Row found = row == null ? null : row.at(now);
    return found == null || (found.isTombstone() && !tombstones) ? null : found;
  }

  RowPage range(
      NavigableMap<TokenKey, Row> all,
      Bytes main,
      Bytes shard,
      Range range,
      PageLimit limit,
      Instant now) {
    List<Row> rows = new ArrayList<>();
    int live = 0;
    int dead = 0;
    long bytes = 0;
    Bytes passed = null;
    for (Row found : within(all, main, shard, range).values()) {
      Row row = found.at(now);
      Bytes clustering = row.key().clustering();
      Bytes value = row.value();
      Stop stop = null;
      if (value == null) {
        stop = dead == MAX_DEAD_PER_PAGE ? Stop.SCAN_LIMIT : null;
        dead++;
      } else if (live == limit.entries()) {
        stop = Stop.ENTRY_LIMIT;
      } else {
        bytes += clustering.size() + value.size();
        stop = live > 0 && bytes > limit.bytes() ? Stop.BYTE_LIMIT : null;
        live++;
      }
      if (stop != null) {
        return RowPage.of(rows, stop, passed);
      }
      if (value != null || tombstones) {
        rows.add(row);
      }
      passed = clustering;
    }
    return RowPage.of(rows, Stop.END, null);
  }

  ScanPage scan(
      NavigableMap<TokenKey, Row> all,
      ScanTask task,
      @Nullable Bytes position,
      PageLimit limit,
      Instant now) {
    StoreKey first = StoreKey.of(Bytes.empty(), Bytes.empty(), Bytes.empty());
    boolean fromStart = position == null && task.after() == Long.MIN_VALUE;
    NavigableMap<TokenKey, Row> rest;
    if (position != null) {
      rest = all.tailMap(TokenKey.parse(position), false);
    } else if (fromStart) {
      rest = all;
    } else if (task.after() == Long.MAX_VALUE) {
      return ScanPage.of(List.of(), null);
    } else {
      rest = all.tailMap(new TokenKey(task.after() + 1, first), true);
    }
    List<Row> rows = new ArrayList<>();
    long bytes = 0;
    int looked = 0;
    TokenKey passed = null;
    for (var entry : rest.entrySet()) {
      if (entry.getKey().token() > task.upTo()) {
        break;
      }
      Row row = entry.getValue().at(now);
      Bytes value = row.value();
      bytes += row.key().clustering().size() + (value == null ? 0 : value.size());
      if (passed != null && (looked == limit.entries() || bytes > limit.bytes())) {
        return ScanPage.of(rows, passed.print());
      }
      looked++;
      if (value != null || tombstones) {
        rows.add(row);
      }
      passed = entry.getKey();
    }
    return ScanPage.of(rows, null);
  }

  /** Divides all tokens into the given number of ranges of equal length. */
  static List<ScanTask> tasks(int atLeast) {
    if (atLeast < 1 || atLeast > MAX_TASKS) {
      throw new InvalidArgument("a scan in " + atLeast + " tasks: give 1 to " + MAX_TASKS);
    }
    List<ScanTask> tasks = new ArrayList<>(atLeast);
    long step = Long.divideUnsigned(-1L, atLeast);
    long after = Long.MIN_VALUE;
    for (int i = 1; i < atLeast; i++) {
      long upTo = Long.MIN_VALUE + step * i;
      tasks.add(ScanTask.of(after, upTo));
      after = upTo;
    }
    tasks.add(ScanTask.of(after, Long.MAX_VALUE));
    return tasks;
  }

  private static NavigableMap<TokenKey, Row> within(
      NavigableMap<TokenKey, Row> all, Bytes main, Bytes shard, Range range) {
    if (range.isEmpty()) {
      return new TreeMap<>();
    }
    long token = TokenKey.token(main, shard);
    Bytes from = range.from();
    Bytes to = range.to();
    TokenKey low =
        new TokenKey(token, StoreKey.of(main, shard, from == null ? Bytes.empty() : from));
    TokenKey high =
        to == null
            ? new TokenKey(token, StoreKey.of(main, shard.concat(NUL), Bytes.empty()))
            : new TokenKey(token, StoreKey.of(main, shard, to));
    NavigableMap<TokenKey, Row> rows =
        all.subMap(
            low, from == null || range.fromInclusive(), high, to != null && range.toInclusive());
    return range.direction() == Direction.FORWARD ? rows : rows.descendingMap();
  }
}
