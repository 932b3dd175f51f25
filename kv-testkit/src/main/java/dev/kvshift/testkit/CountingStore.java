package dev.kvshift.testkit;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** A store that takes note of each request for data. Safe for use by many threads. */
final class CountingStore extends ForwardingStore {
  /** What was asked of a collection. */
  enum Request {
    GET,
    WRITE,
    RANGE,
    SCAN_TASKS,
    SCAN
  }

  private final List<Request> requests = new ArrayList<>();

  CountingStore(Store inner) {
    super(inner);
  }

  /** Returns what was asked for so far, in order. */
  synchronized List<Request> requests() {
    return List.copyOf(requests);
  }

  private synchronized void add(Request request) {
    requests.add(request);
  }

  @Override
  StoreCollection wrap(StoreCollection collection) {
    return new Counted(collection);
  }

  private final class Counted extends ForwardingCollection {
    Counted(StoreCollection inner) {
      super(inner);
    }

    @Override
    public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
      add(Request.GET);
      return super.get(key, call);
    }

    @Override
    public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
      add(Request.WRITE);
      return super.write(key, mutation, call);
    }

    @Override
    public CompletionStage<RowPage> range(
        Bytes main, Bytes shard, Range range, PageLimit limit, Call call) {
      add(Request.RANGE);
      return super.range(main, shard, range, limit, call);
    }

    @Override
    public CompletionStage<List<ScanTask>> scanTasks(int atLeast, Call call) {
      add(Request.SCAN_TASKS);
      return super.scanTasks(atLeast, call);
    }

    @Override
    public CompletionStage<ScanPage> scan(
        ScanTask task, @Nullable Bytes position, PageLimit limit, Call call) {
      add(Request.SCAN);
      return super.scan(task, position, limit, call);
    }
  }
}
