package dev.kvshift.spi;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * A collection that forwards every request to another one, for subclasses that change some. {@link
 * #getAll} is a {@link #get} for each key and {@link #writeAll} a {@link #write}, so that a
 * subclass changes both at once.
 */
public class ForwardingCollection implements StoreCollection {
  /** The collection that requests are forwarded to. */
  protected final StoreCollection inner;

  /** Creates a collection in front of another one. */
  protected ForwardingCollection(StoreCollection inner) {
    this.inner = inner;
  }

  @Override
  public String name() {
    return inner.name();
  }

  @Override
  public Layout layout() {
    return inner.layout();
  }

  @Override
  public void check(StoreKey key, Mutation mutation) {
    inner.check(key, mutation);
  }

  @Override
  public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
    return inner.get(key, call);
  }

  @Override
  public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
    return inner.write(key, mutation, call);
  }

  @Override
  public CompletionStage<RowPage> range(
      Bytes main, Bytes shard, Range range, PageLimit limit, Call call) {
    return inner.range(main, shard, range, limit, call);
  }

  @Override
  public long token(StoreKey key) {
    return inner.token(key);
  }

  @Override
  public CompletionStage<List<ScanTask>> scanTasks(int atLeast, Call call) {
    return inner.scanTasks(atLeast, call);
  }

  @Override
  public CompletionStage<ScanPage> scan(
      ScanTask task, @Nullable Bytes position, PageLimit limit, Call call) {
    return inner.scan(task, position, limit, call);
  }

  @Override
  public ChangeSource changes() {
    return inner.changes();
  }

  @Override
  public Gate gate() {
    return inner.gate();
  }
}
