package dev.kvshift.legacy.server.example;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
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
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A store that can only read single keys, with a list of its keys beside it. */
final class IdListCollection implements StoreCollection {
  /** The version of every row, below everything that services write to the new store. */
  static final long VERSION = 1;

  private static final int TASKS = 16;

  private final Function<Bytes, Optional<Bytes>> old;
  private final NavigableSet<Bytes> ids;
  private final StoreCollection authority;

  IdListCollection(
      Function<Bytes, Optional<Bytes>> old, NavigableSet<Bytes> ids, StoreCollection authority) {
    this.old = old;
    this.ids = ids;
    this.authority = authority;
  }

  @Override
  public String name() {
    return authority.name();
  }

  @Override
  public Layout layout() {
    return Layout.point();
  }

  @Override
  public void check(StoreKey key, Mutation mutation) {
    authority.check(key, mutation);
  }

  @Override
  public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
    Row row = old.apply(key.main()).map(value -> Row.of(key, VERSION, value, null)).orElse(null);
    return CompletableFuture.completedFuture(row);
  }

  @Override
  public long token(StoreKey key) {
    return Math.floorMod(key.main().hashCode(), TASKS);
  }

  @Override
  public CompletionStage<List<ScanTask>> scanTasks(int atLeast, Call call) {
    List<ScanTask> tasks = new ArrayList<>();
    for (int task = 0; task < TASKS; task++) {
      tasks.add(ScanTask.of(task - 1, task));
    }
    return CompletableFuture.completedFuture(tasks);
  }

  @Override
  public CompletionStage<ScanPage> scan(
      ScanTask task, @Nullable Bytes position, PageLimit limit, Call call) {
    List<Row> rows = new ArrayList<>();
    long bytes = 0;
    for (Bytes id : position == null ? ids : ids.tailSet(position, false)) {
      StoreKey key = StoreKey.of(id, Bytes.empty());
      Optional<Bytes> value = task.contains(token(key)) ? old.apply(id) : Optional.empty();
      if (value.isPresent()) {
        rows.add(Row.of(key, VERSION, value.get(), null));
        bytes += id.size() + value.get().size();
        if (rows.size() == limit.entries() || bytes >= limit.bytes()) {
          return CompletableFuture.completedFuture(ScanPage.of(rows, id));
        }
      }
    }
    return CompletableFuture.completedFuture(ScanPage.of(rows, null));
  }

  @Override
  public ChangeSource changes() {
    return authority.changes();
  }

  @Override
  public Gate gate() {
    return authority.gate();
  }

  @Override
  public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
    return CompletableFuture.failedFuture(
        new KvException.Permanent("the old store is only read from here"));
  }

  @Override
  public CompletionStage<RowPage> range(
      Bytes main, Bytes shard, Range range, PageLimit limit, Call call) {
    return CompletableFuture.failedFuture(
        new KvException.UnsupportedCapability(Capability.RANGES, "a list of ids"));
  }
}
