package dev.kvshift.memory;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
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
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** One store's view of a table: checks capabilities, limits and keys before it touches a row. */
final class MemoryCollection implements StoreCollection {
  private final MemoryStore store;
  private final String name;
  private final Layout layout;
  private final Table table;
  private final OperationChecker checker;
  private final RowWalk walk;

  MemoryCollection(MemoryStore store, String name, Layout layout, Claim claim, Table table) {
    this.store = store;
    this.name = name;
    this.layout = layout;
    this.table = table;
    this.checker = OperationChecker.of(name, layout, store.limits()).claimed(claim);
    this.walk = new RowWalk(store.has(Capability.TOMBSTONE_READS));
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
    return store.<@Nullable Row>read(
        () -> {
          checker.check(key);
          checker.checkDeadline(call);
          return observed(
              table.<@Nullable Row>read(
                  call, rows -> walk.shown(rows.get(TokenKey.of(key)), store.server.now())));
        },
        call);
  }

  @Override
  public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
    return store.write(
        () -> {
          checker.requireWritable();
          checker.check(key, mutation);
          requireCapabilities(mutation);
          checker.checkDeadline(call);
          return table.write(store, key, mutation, call, store.versions);
        },
        call);
  }

  @Override
  public CompletionStage<RowPage> range(
      Bytes main, Bytes shard, Range range, PageLimit limit, Call call) {
    return store.read(
        () -> {
          checker.checkRange(main, shard);
          checker.checkDeadline(call);
          RowPage page =
              table.read(
                  call, rows -> walk.range(rows, main, shard, range, limit, store.server.now()));
          page.rows().forEach(this::observed);
          return page;
        },
        call);
  }

  @Override
  public long token(StoreKey key) {
    store.require(Capability.SCAN);
    return TokenKey.token(key.main(), key.shard());
  }

  @Override
  public CompletionStage<List<ScanTask>> scanTasks(int atLeast, Call call) {
    return store.supply(
        () -> {
          store.require(Capability.SCAN);
          return RowWalk.tasks(atLeast);
        });
  }

  @Override
  public CompletionStage<ScanPage> scan(
      ScanTask task, @Nullable Bytes position, PageLimit limit, Call call) {
    return store.supply(
        () -> {
          store.require(Capability.SCAN);
          checker.checkDeadline(call);
          return table.scan(rows -> walk.scan(rows, task, position, limit, store.server.now()));
        });
  }

  @Override
  public ChangeSource changes() {
    store.require(Capability.CHANGE_SOURCE);
    return new ChangeSource() {
      @Override
      public CompletionStage<Batch> read(long after, int maxBytes, Duration wait) {
        return store.compose(() -> table.withLog(log -> log.read(store, after, maxBytes, wait)));
      }

      @Override
      public CompletionStage<String> logId(long position) {
        return store.supply(() -> table.withLog(log -> log.id(position)));
      }

      @Override
      public CompletionStage<Window> window() {
        return store.supply(() -> table.withLog(ChangeLog::window));
      }

      @Override
      public CompletionStage<Duration> consumed(String consumer, long upTo) {
        return store.supply(
            () -> {
              store.require(Capability.CHANGE_CONSUMERS);
              return table.withLog(log -> log.consumed(consumer, upTo));
            });
      }

      @Override
      public CompletionStage<@Nullable Void> forget(String consumer) {
        return store.supply(
            () -> {
              store.require(Capability.CHANGE_CONSUMERS);
              return table.withLog(log -> log.forgetConsumer(consumer));
            });
      }
    };
  }

  @Override
  public Gate gate() {
    store.require(Capability.GATE);
    return new MemoryGate(store, table);
  }

  private @Nullable Row observed(@Nullable Row row) {
    if (row != null) {
      store.versions.observe(row.version());
    }
    return row;
  }

  private void requireCapabilities(Mutation mutation) {
    if (mutation.expiry() != null) {
      store.require(Capability.EXPIRY);
    }
    if (mutation.version() != null) {
      store.require(Capability.VERSIONED_WRITES);
    }
    if (mutation.lock() != null) {
      store.require(Capability.LOCKS);
    }
  }
}
