package dev.kvshift.migrate.internal.data;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.Continuation;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvException.InvalidArgument;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A collection as people look at it: one row, or a page of rows. Opens it as it is, so looking at
 * one that a migration fills is possible, and none is created on a store with metadata. For one
 * thread. Fails with a {@link KvException}.
 */
public final class CollectionData {
  /** The maximum number of rows of a page. */
  public static final int MAX_ROWS = PageLimit.MAX_ENTRIES;

  /** The time after which a page ends that meets nothing but deleted rows. */
  private static final Duration LONGEST_PAGE = Duration.ofSeconds(10);

  /** The size of keys and values above which a page ends, in bytes. */
  private static final long LARGE_PAGE_BYTES = 16 << 20;

  private final Store store;
  private final StoreCollection collection;

  private CollectionData(Store store, StoreCollection collection) {
    this.store = store;
    this.collection = collection;
  }

  /**
   * A page of rows, without tombstones.
   *
   * @param next the position at which the next page begins; null at the end
   */
  public record Page(List<Row> rows, @Nullable String next) {}

  /** Returns the layout that the store has recorded for a collection; null if it has none. */
  public static @Nullable Layout recordedLayout(Store store, String name) {
    if (!store.capabilities().contains(Capability.METADATA)) {
      return null;
    }
    CollectionRecord record = Await.of(CollectionRecord.read(store.metadata(), name));
    return record == null ? null : record.layout();
  }

  /** Opens a collection as it is. */
  public static CollectionData open(Store store, String name, Layout layout) {
    return new CollectionData(store, Await.of(store.open(name, layout, Claim.NONE)));
  }

  /**
   * Returns the migration that the collection is in, in words; null if there is none, or if the
   * store does not know.
   */
  public @Nullable String migration() {
    if (!store.capabilities().contains(Capability.GATE)) {
      return null;
    }
    Gate.State state = Await.of(collection.gate().state());
    return state.copy() == null || state.phase() == Phase.NEW_ONLY
        ? null
        : "phase " + state.phase().word();
  }

  /** Reads a row; null if there is none. A deleted one may be a tombstone. */
  public @Nullable Row get(Key key) {
    return Await.of(collection.get(StoreKey.of(key.main(), key.clustering()), call()));
  }

  /**
   * Reads a page of a range.
   *
   * @param limit maximum number of rows, 1 to {@link #MAX_ROWS}
   * @param after the position that the last page returned; null to begin
   */
  public Page range(Bytes main, Range range, int limit, @Nullable String after) {
    Range rest =
        after == null
            ? range
            : range.beyond(
                Continuation.parse(after).lastFor(collection.name(), main, range.direction()));
    PageInProgress rows = new PageInProgress(limit);
    while (true) {
      RowPage page = Await.of(collection.range(main, Bytes.empty(), rest, rows.limit(), call()));
      rows.add(page.rows());
      Bytes passed = page.passed();
      if (passed == null) {
        return new Page(rows.live, null);
      }
      if (rows.isFull()) {
        return new Page(
            rows.live, Continuation.of(collection.name(), main, range.direction(), passed).print());
      }
      rest = rest.beyond(passed);
    }
  }

  /**
   * Reads a page of the whole collection, in the store's own order.
   *
   * @param limit maximum number of rows, 1 to {@link #MAX_ROWS}
   * @param after the position that the last page returned; null to begin
   */
  public Page scan(int limit, @Nullable String after) {
    Call opening = call();
    List<ScanTask> tasks = Await.of(collection.scanTasks(1, opening));
    ScanPosition position = after == null ? null : ScanPosition.parse(after);
    int task = position == null ? 0 : tasks.indexOf(position.task);
    if (task < 0) {
      throw new InvalidArgument(
          "the position is of another collection, or the store is divided differently by now:"
              + " begin again without --after");
    }
    Bytes within = position == null || position.within.isEmpty() ? null : position.within;
    PageInProgress rows = new PageInProgress(limit);
    while (task < tasks.size()) {
      if (rows.isFull()) {
        return new Page(
            rows.live,
            new ScanPosition(tasks.get(task), within == null ? Bytes.empty() : within).print());
      }
      ScanPage page = Await.of(collection.scan(tasks.get(task), within, rows.limit(), call()));
      rows.add(page.rows());
      within = page.next();
      if (within == null) {
        task++;
      }
    }
    return new Page(rows.live, null);
  }

  private Call call() {
    return Call.within(store.limits().timeout());
  }

  /** The live rows of a page; full once it has enough rows or bytes, or has taken too long. */
  private static final class PageInProgress {
    private final long end = System.nanoTime() + LONGEST_PAGE.toNanos();
    private final int limit;
    private final List<Row> live = new ArrayList<>();
    private long bytes;

    PageInProgress(int limit) {
      this.limit = limit;
    }

    PageLimit limit() {
      return PageLimit.entries(limit - live.size());
    }

    void add(List<Row> rows) {
      for (Row row : rows) {
        Bytes value = row.value();
        if (value != null) {
          live.add(row);
          bytes += row.key().main().size() + row.key().clustering().size() + value.size();
        }
      }
    }

    boolean isFull() {
      return live.size() >= limit || bytes >= LARGE_PAGE_BYTES || System.nanoTime() - end >= 0;
    }
  }

  /** A position of a scan, printed as base64url: format, bounds of the task, place within it. */
  private record ScanPosition(ScanTask task, Bytes within) {
    private static final byte FORMAT = 1;

    static ScanPosition parse(String text) {
      try {
        ByteBuffer bytes = ByteBuffer.wrap(Base64.getUrlDecoder().decode(text));
        if (bytes.get() == FORMAT) {
          return new ScanPosition(ScanTask.of(bytes.getLong(), bytes.getLong()), Bytes.of(bytes));
        }
      } catch (IllegalArgumentException | BufferUnderflowException e) {
        throw wrong(text, e);
      }
      throw wrong(text, null);
    }

    private static InvalidArgument wrong(String text, @Nullable Exception cause) {
      return new InvalidArgument(
          "'" + text + "' is no position of a scan: give the one that the last page printed",
          cause);
    }

    String print() {
      ByteBuffer bytes = ByteBuffer.allocate(1 + 2 * Long.BYTES + within.size());
      bytes.put(FORMAT).putLong(task.after()).putLong(task.upTo()).put(within.asReadOnlyBuffer());
      return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes.array());
    }
  }
}
