package dev.kvshift.testkit.example;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.Range.Direction;
import dev.kvshift.api.RangePage.Stop;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.OperationChecker;
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
  private final OperationChecker checker;

  ShelfCollection(
      ShelfStore store,
      String name,
      Layout layout,
      Claim claim,
      Board board,
      VersionClock versions,
      Clock clock) {
    this.store = store;
    this.name = name;
    this.layout = layout;
    this.board = board;
    this.versions = versions;
    this.clock = clock;
    this.checker = OperationChecker.of(name, layout, store.limits()).claimed(claim);
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
  public void check(StoreKey key, Mutation mutation) {
    checker.check(key, mutation);
  }

  @Override
  public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
    return store.<@Nullable Row>answer(
        () -> {
          begin(call);
          checker.check(key);
          return live(board.rows().get(key));
        });
  }

  @Override
  public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
    return store.answer(
        () -> {
          begin(call);
          checker.requireWritable();
          checker.check(key, mutation);
          if (mutation.lock() != null) {
            throw store.unsupported(Capability.LOCKS);
          }
          Long given = mutation.version();
          long version = given == null ? versions.next(versions.nowMicros()) : given;
          Row row = Row.of(key, version, mutation.value(), mutation.expiry());
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
          begin(call);
          checker.checkRange(main, shard);
          return page(main, shard, range, limit);
        });
  }

  private RowPage page(Bytes main, Bytes shard, Range range, PageLimit limit) {
    NavigableMap<StoreKey, Row> partition =
        board
            .rows()
            .subMap(
                StoreKey.of(main, shard, Bytes.empty()),
                StoreKey.of(main, shard.concat(NUL), Bytes.empty()));
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
        return RowPage.of(rows, full ? Stop.ENTRY_LIMIT : Stop.BYTE_LIMIT, passed);
      }
      rows.add(row);
    }
    return RowPage.of(rows, Stop.END, null);
  }

  /** Returns no row if it is deleted or expired, because the store has no tombstone reads. */
  private @Nullable Row live(@Nullable Row row) {
    Row now = row == null ? null : row.at(clock.instant());
    return now == null || now.isTombstone() ? null : now;
  }

  private void begin(Call call) {
    if (board.dropped().get()) {
      throw new KvException.Permanent("collection " + name + " was dropped: open it again");
    }
    checker.checkDeadline(call);
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
