package dev.kvshift.testkit.example;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Layout.Shape;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.Range.Direction;
import dev.kvshift.api.RangePage.Stop;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import dev.kvshift.testkit.example.Shelf.Board;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** One collection on a {@link Board}. */
final class ShelfCollection implements StoreCollection {
  private static final Bytes NUL = Bytes.of((byte) 0);

  private final ShelfStore store;
  private final String name;
  private final Layout layout;
  private final Board board;
  private final VersionClock versions;
  private final Clock clock;

  ShelfCollection(
      ShelfStore store,
      String name,
      Layout layout,
      Board board,
      VersionClock versions,
      Clock clock) {
    this.store = store;
    this.name = name;
    this.layout = layout;
    this.board = board;
    this.versions = versions;
    this.clock = clock;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Layout layout() {
    return layout;
  }

  @Override
  public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
    return store.<@Nullable Row>answer(
        () -> {
          check(key, call);
          return live(board.rows().get(key));
        });
  }

  @Override
  public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
    return store.answer(
        () -> {
          check(key, call);
          Bytes value = mutation.value();
          if (value != null) {
            checkSize("value", value.size(), store.limits().maxValueBytes());
          }
          if (mutation.lock() != null) {
            throw store.unsupported(Capability.LOCKS);
          }
          Long given = mutation.version();
          long version = given == null ? versions.next() : given;
          Row row = new Row(key, version, value, mutation.expiry());
          board.rows().merge(key, row, ShelfCollection::greater);
          return version;
        });
  }

  /** Returns the row that wins: value and expiry of one write, even if the versions are equal. */
  private static Row greater(Row held, Row next) {
    return Row.PRECEDENCE.compare(next, held) > 0 ? next : held;
  }

  @Override
  public CompletionStage<RowPage> range(
      Bytes main, Bytes shard, Range range, PageLimit limit, Call call) {
    return store.answer(
        () -> {
          check(new StoreKey(main, shard, Bytes.empty()), call);
          if (layout.shape() != Shape.RANGE) {
            throw new KvException.Permanent("collection " + name + " is a point collection");
          }
          return page(main, shard, range, limit);
        });
  }

  private RowPage page(Bytes main, Bytes shard, Range range, PageLimit limit) {
    NavigableMap<StoreKey, Row> partition =
        board
            .rows()
            .subMap(
                new StoreKey(main, shard, Bytes.empty()),
                new StoreKey(main, shard.concat(NUL), Bytes.empty()));
    if (range.direction() == Direction.BACKWARD) {
      partition = partition.descendingMap();
    }
    List<Row> rows = new ArrayList<>();
    long bytes = 0;
    for (Row found : partition.values()) {
      Row row = range.contains(found.key().clustering()) ? live(found) : null;
      if (row == null || row.value() == null) {
        continue;
      }
      bytes += row.key().clustering().size() + row.value().size();
      boolean full = rows.size() == limit.entries();
      if (full || (!rows.isEmpty() && bytes > limit.bytes())) {
        Bytes passed = rows.get(rows.size() - 1).key().clustering();
        return new RowPage(rows, full ? Stop.ENTRY_LIMIT : Stop.BYTE_LIMIT, passed);
      }
      rows.add(row);
    }
    return new RowPage(rows, Stop.END, null);
  }

  /** Returns no row if it is deleted or expired, because the store has no tombstone reads. */
  private @Nullable Row live(@Nullable Row row) {
    Row now = row == null ? null : row.at(clock.instant());
    return now == null || now.isTombstone() ? null : now;
  }

  private void check(StoreKey key, Call call) {
    if (board.dropped().get()) {
      throw new KvException.Permanent("collection " + name + " was dropped: open it again");
    }
    if (call.isExpired()) {
      throw new KvException.Transient("the deadline passed before the request was sent: try again");
    }
    boolean whole = key.shard().isEmpty() && key.clustering().isEmpty() && !key.main().isEmpty();
    if (layout.shape() == Shape.POINT && !whole) {
      throw new KvException.Permanent(
          "a key of point collection " + name + " is one main part of at least one byte");
    }
    checkSize("main part", key.main().size() + key.shard().size(), store.limits().maxMainBytes());
    checkSize("clustering part", key.clustering().size(), store.limits().maxClusteringBytes());
  }

  private void checkSize(String what, int size, int limit) {
    if (size > limit) {
      throw new KvException.Permanent(
          what + " of " + size + " bytes, the limit is " + limit + ": make it shorter");
    }
  }

  @Override
  public long token(StoreKey key) {
    throw store.unsupported(Capability.SCAN);
  }

  @Override
  public CompletionStage<List<ScanTask>> scanTasks(int atLeast, Call call) {
    throw store.unsupported(Capability.SCAN);
  }

  @Override
  public CompletionStage<ScanPage> scan(
      ScanTask task, @Nullable Bytes position, PageLimit limit, Call call) {
    throw store.unsupported(Capability.SCAN);
  }

  @Override
  public ChangeSource changes() {
    throw store.unsupported(Capability.CHANGE_SOURCE);
  }

  @Override
  public Gate gate() {
    throw store.unsupported(Capability.GATE);
  }
}
