package dev.kvshift.testkit.oracle;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Entry;
import dev.kvshift.api.Range;
import dev.kvshift.api.Range.Direction;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The reference for a store's contents: an ordered map. A write without a version takes precedence
 * over all writes with one. Used by one thread.
 */
public final class OrderedModel {
  private static final long FIRST_DRAWN = 1_000_000;

  private final TreeMap<StoreKey, Row> rows = new TreeMap<>();
  private long drawn = FIRST_DRAWN;

  public void write(StoreKey key, @Nullable Bytes value, @Nullable Instant expiry) {
    drawn++;
    write(Row.of(key, drawn, value, expiry));
  }

  public void write(Row row) {
    rows.merge(
        row.key(), row, (held, next) -> Row.PRECEDENCE.compare(next, held) > 0 ? next : held);
  }

  public @Nullable Bytes get(StoreKey key, Instant now) {
    Row row = rows.get(key);
    return row == null ? null : row.at(now).value();
  }

  public List<Entry> range(Bytes main, Range range, Instant now) {
    List<Entry> entries = new ArrayList<>();
    rows.forEach(
        (key, row) -> {
          Bytes value = row.at(now).value();
          if (key.main().equals(main) && range.contains(key.clustering()) && value != null) {
            entries.add(Entry.of(key.clustering(), value));
          }
        });
    if (range.direction() == Direction.BACKWARD) {
      Collections.reverse(entries);
    }
    return entries;
  }
}
