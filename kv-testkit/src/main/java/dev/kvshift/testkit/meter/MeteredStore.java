package dev.kvshift.testkit.meter;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ForwardingCollection;
import dev.kvshift.spi.ForwardingStore;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.OperationChecker;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * A store that records each request for data on a meter, unless the store refuses its arguments
 * before it sends anything. Safe for use by many threads.
 */
final class MeteredStore extends ForwardingStore {
  private final Meter meter;

  MeteredStore(Store inner, Meter meter) {
    super(inner);
    this.meter = meter;
  }

  @Override
  protected StoreCollection wrap(StoreCollection collection) {
    return new Metered(collection);
  }

  private final class Metered extends ForwardingCollection {
    Metered(StoreCollection inner) {
      super(inner);
    }

    @Override
    public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
      return Futures.<@Nullable Row>start(
          () -> {
            check(key, Mutation.delete());
            sent(key.main(), key.shard(), key.clustering().size());
            return inner.get(key, call).thenApply(row -> row == null ? null : answered(row));
          });
    }

    @Override
    public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
      return Futures.start(
          () -> {
            check(key, mutation);
            Bytes value = mutation.value();
            int valueBytes = value == null ? 0 : value.size();
            sent(key.main(), key.shard(), key.clustering().size() + valueBytes);
            return inner.write(key, mutation, call);
          });
    }

    @Override
    public CompletionStage<RowPage> range(
        Bytes main, Bytes shard, Range range, PageLimit limit, Call call) {
      return Futures.start(
          () -> {
            OperationChecker.of(name(), layout(), limits()).checkRange(main, shard);
            sent(main, shard, 0);
            return inner.range(main, shard, range, limit, call).thenApply(page -> answered(page));
          });
    }

    @Override
    public CompletionStage<ScanPage> scan(
        ScanTask task, @Nullable Bytes position, PageLimit limit, Call call) {
      meter.sent(name() + " " + task, 0);
      return inner.scan(task, position, limit, call).thenApply(page -> answered(page));
    }

    private void sent(Bytes main, Bytes shard, int moreBytes) {
      meter.sent(
          name() + " " + main.toHex() + " " + shard.toHex(),
          (long) main.size() + shard.size() + moreBytes);
    }

    private RowPage answered(RowPage page) {
      answered(page.rows());
      return page;
    }

    private ScanPage answered(ScanPage page) {
      answered(page.rows());
      return page;
    }

    private Row answered(Row row) {
      answered(List.of(row));
      return row;
    }

    private void answered(List<Row> rows) {
      long bytes = 0;
      for (Row row : rows) {
        Bytes value = row.value();
        bytes += row.key().clustering().size() + (value == null ? 0 : value.size());
      }
      meter.answered(bytes);
    }
  }
}
