package dev.kvshift.model.mapping;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ForwardingCollection;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** One collection of a {@link MappedStore} that has a mapping. */
final class MappedCollection extends ForwardingCollection {
  private final Layout layout;
  private final EntryMap entries;

  /**
   * Creates a collection.
   *
   * @param inner what the store holds
   * @param layout the layout of the old entries
   */
  MappedCollection(StoreCollection inner, Layout layout, EntryMap entries) {
    super(inner);
    this.layout = layout;
    this.entries = entries;
  }

  @Override
  public Layout layout() {
    return layout;
  }

  @Override
  public void check(StoreKey key, Mutation mutation) {
    inner.check(entries.newKey(key), entries.newWrite(key, mutation));
  }

  @Override
  public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
    return Futures.<@Nullable Row>start(() -> old(key, inner.get(entries.newKey(key), call)));
  }

  /** Reads all keys together. If one is wrong, each is read alone. */
  @Override
  public List<CompletionStage<@Nullable Row>> getAll(List<StoreKey> keys, Call call) {
    List<StoreKey> mapped;
    try {
      mapped = keys.stream().map(entries::newKey).toList();
    } catch (KvException e) {
      return super.getAll(keys, call);
    }
    List<CompletionStage<@Nullable Row>> read = inner.getAll(mapped, call);
    return IntStream.range(0, keys.size())
        .<CompletionStage<@Nullable Row>>mapToObj(i -> old(keys.get(i), read.get(i)))
        .toList();
  }

  private CompletionStage<@Nullable Row> old(StoreKey key, CompletionStage<@Nullable Row> read) {
    return Futures.<@Nullable Row, @Nullable Row>map(
        read, row -> row == null ? null : entries.oldRow(key, row));
  }

  @Override
  public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
    return Futures.start(
        () -> inner.write(entries.newKey(key), entries.newWrite(key, mutation), call));
  }

  /** Writes all entries together. If one is wrong, each is written alone. */
  @Override
  public Map<StoreKey, CompletionStage<Long>> writeAll(
      Map<StoreKey, Mutation> mutations, Call call) {
    Map<StoreKey, StoreKey> keys = new LinkedHashMap<>();
    Map<StoreKey, Mutation> mapped = new LinkedHashMap<>();
    try {
      mutations.forEach(
          (key, mutation) -> {
            StoreKey newKey = entries.newKey(key);
            keys.put(newKey, key);
            mapped.put(newKey, entries.newWrite(key, mutation));
          });
    } catch (KvException e) {
      return super.writeAll(mutations, call);
    }
    Map<StoreKey, CompletionStage<Long>> written = new LinkedHashMap<>();
    inner.writeAll(mapped, call).forEach((key, stage) -> written.put(keys.get(key), stage));
    return written;
  }

  @Override
  public CompletionStage<RowPage> range(
      Bytes main, Bytes shard, Range range, PageLimit limit, Call call) {
    return Futures.start(
        () ->
            Futures.map(
                inner.range(entries.newMain(main), shard, range, limit, call),
                page -> RowPage.of(oldRows(main, page.rows()), page.stop(), page.passed())));
  }

  private List<Row> oldRows(Bytes main, List<Row> rows) {
    return rows.stream()
        .map(
            row ->
                entries.oldRow(StoreKey.of(main, row.key().shard(), row.key().clustering()), row))
        .toList();
  }

  @Override
  public long token(StoreKey key) {
    return inner.token(entries.newKey(key));
  }

  @Override
  public CompletionStage<ScanPage> scan(
      ScanTask task, @Nullable Bytes position, PageLimit limit, Call call) {
    return Futures.start(
        () ->
            Futures.map(
                inner.scan(task, position, limit, call),
                page ->
                    ScanPage.of(page.rows().stream().map(entries::oldRow).toList(), page.next())));
  }
}
