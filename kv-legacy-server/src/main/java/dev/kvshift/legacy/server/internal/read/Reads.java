package dev.kvshift.legacy.server.internal.read;

import com.google.protobuf.ByteString;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.Range.Direction;
import dev.kvshift.api.RangePage.Stop;
import dev.kvshift.legacy.server.internal.commit.Table;
import dev.kvshift.legacy.server.internal.storage.Cursor;
import dev.kvshift.legacy.server.internal.storage.Database;
import dev.kvshift.legacy.server.internal.storage.Keys;
import dev.kvshift.legacy.server.internal.storage.LeaderClock;
import dev.kvshift.legacy.server.internal.storage.OpenFiles;
import dev.kvshift.legacy.server.internal.storage.Records;
import dev.kvshift.legacy.wire.Changes;
import dev.kvshift.legacy.wire.Page;
import dev.kvshift.legacy.wire.RowBlock;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.StoreKey;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;

/** Reads, straight from the database and its durable state. Safe for use by many threads. */
public final class Reads {
  /** Maximum number of tombstones that one page of a range reads, so that every page ends soon. */
  static final int MAX_TOMBSTONES = 10_000;

  /** Maximum number of bytes of the clustering keys of these tombstones. */
  static final int MAX_TOMBSTONE_BYTES = 1 << 20;

  /** The largest row that is read without asking for admission. */
  static final int LARGE_ROW_BYTES = 64 << 10;

  private static final int FIRST_BLOCK_BYTES = 128 << 10;
  private static final int GUESSED_CHANGE_BYTES = 256;

  /**
   * Direct buffers with which a thread reads single rows, so that native code neither copies nor
   * allocates arrays. A key that does not fit gets a buffer of its own, and a row that does not fit
   * is read a second time, into an array.
   */
  private static final class Buffers {
    static final int KEY_BYTES = 512;
    static final int FIRST_ROW_BYTES = 1 << 10;
    static final int MAX_ROW_BYTES = 64 << 10;

    final ByteBuffer key = ByteBuffer.allocateDirect(KEY_BYTES);
    ByteBuffer stored = ByteBuffer.allocateDirect(FIRST_ROW_BYTES);

    /** Enlarges the buffer for the rows that follow, unless the row was exceptionally long. */
    void makeRoom(int length) {
      if (length <= MAX_ROW_BYTES) {
        stored = ByteBuffer.allocateDirect(Math.min(MAX_ROW_BYTES, 2 * length));
      }
    }
  }

  private final ThreadLocal<Buffers> buffers = ThreadLocal.withInitial(Buffers::new);
  private final Database database;
  private final Keys keys;
  private final LeaderClock clock;
  private final int partitions;

  public Reads(Database database, Keys keys, LeaderClock clock, int partitions) {
    this.database = database;
    this.keys = keys;
    this.clock = clock;
    this.partitions = partitions;
  }

  /** Admits the read of a large row, or throws why it is refused. */
  public interface Admission {
    /** Admits every row. */
    Admission OPEN = bytes -> {};

    /**
     * Admits a row.
     *
     * @param bytes by how much a row exceeds the limit of its page; for a row alone, its size
     */
    void admit(long bytes);
  }

  public @Nullable Row get(Table table, StoreKey key, long epoch) {
    return get(table, key, epoch, Admission.OPEN);
  }

  /**
   * Reads a row.
   *
   * @param admission is asked before a row of more than {@link #LARGE_ROW_BYTES} is read
   */
  public @Nullable Row get(Table table, StoreKey key, long epoch, Admission admission) {
    table.checkRead(epoch);
    byte[] physical = keys.row(table.id(), key);
    Row row = database.access(open -> row(open, physical, key, admission));
    return row == null || row.expiry() == null ? row : row.at(clock.instant());
  }

  private @Nullable Row row(OpenFiles open, byte[] physical, StoreKey key, Admission admission)
      throws RocksDBException {
    Buffers mine = buffers.get();
    ByteBuffer searched =
        physical.length <= mine.key.capacity()
            ? mine.key.clear()
            : ByteBuffer.allocateDirect(physical.length);
    int length = open.row(searched.put(physical).flip(), mine.stored);
    if (length < 0) {
      return null;
    }
    if (length <= mine.stored.capacity()) {
      return Records.row(key, mine.stored);
    }
    mine.makeRoom(length);
    if (length > LARGE_ROW_BYTES) {
      admission.admit(length);
    }
    byte[] stored = open.row(physical);
    return stored == null ? null : Records.row(key, stored);
  }

  public RowPage range(Table table, Bytes main, Range range, PageLimit limit, long epoch) {
    return range(table, main, range, limit, epoch, Admission.OPEN);
  }

  /**
   * Reads a page of a range.
   *
   * @param admission is asked before a first row is read that is larger than the page may be
   */
  public RowPage range(
      Table table, Bytes main, Range range, PageLimit limit, long epoch, Admission admission) {
    table.checkRead(epoch);
    if (range.isEmpty()) {
      return RowPage.of(List.of(), Stop.END, null);
    }
    byte[] prefix = keys.main(table.id(), main, 0);
    return database.access(
        open -> {
          try (RocksIterator rows = open.rows()) {
            RowPage page = page(rows, prefix, main, range, limit, admission);
            rows.status();
            return page;
          }
        });
  }

  private RowPage page(
      RocksIterator rows,
      byte[] prefix,
      Bytes main,
      Range range,
      PageLimit limit,
      Admission admission) {
    Instant now = clock.instant();
    boolean forward = range.direction() == Direction.FORWARD;
    PageBuilder page = new PageBuilder(limit);
    for (seek(rows, prefix, range); rows.isValid(); step(rows, forward)) {
      byte[] physical = rows.key();
      if (!Keys.startsWith(physical, prefix)) {
        break;
      }
      Bytes clustering = Bytes.of(physical, prefix.length, physical.length - prefix.length);
      if (!range.contains(clustering)) {
        if (isBefore(range, clustering)) {
          continue;
        }
        break;
      }
      Row row = row(rows, StoreKey.of(main, clustering), page, now, admission);
      Stop stop = row == null ? Stop.BYTE_LIMIT : page.add(row);
      if (stop != null) {
        return page.end(stop);
      }
    }
    return page.end(Stop.END);
  }

  /** Reads the row at which the iterator is; null if it is too large for the rest of the page. */
  private @Nullable Row row(
      RocksIterator rows, StoreKey key, PageBuilder page, Instant now, Admission admission) {
    Buffers mine = buffers.get();
    int length = rows.value(mine.stored.clear());
    if (length <= mine.stored.capacity()) {
      return Records.row(key, mine.stored).at(now);
    }
    Row tombstone = Records.tombstone(key, mine.stored, now);
    mine.makeRoom(length);
    if (tombstone != null) {
      return tombstone;
    }
    long excess = page.excess(key.clustering().size() + length - Records.MAX_HEAD_BYTES);
    if (length > LARGE_ROW_BYTES && excess > 0) {
      if (page.live > 0) {
        return null;
      }
      admission.admit(excess);
    }
    return Records.row(key, rows.value()).at(now);
  }

  /** A page of a range while it is filled. */
  private static final class PageBuilder {
    private final PageLimit limit;
    private final List<Row> rows = new ArrayList<>();
    private int live;
    private int dead;
    private long liveBytes;
    private long deadBytes;
    private @Nullable Bytes passed;

    PageBuilder(PageLimit limit) {
      this.limit = limit;
    }

    /** Returns the number of bytes by which an entry of a size would exceed the page's limit. */
    long excess(int entryBytes) {
      return liveBytes + entryBytes - limit.bytes();
    }

    /** Adds a row if the limits allow it, and otherwise returns the limit that is reached. */
    @Nullable Stop add(Row row) {
      Bytes clustering = row.key().clustering();
      Bytes value = row.value();
      if (value == null) {
        deadBytes += clustering.size();
        if (dead == MAX_TOMBSTONES || (dead > 0 && deadBytes > MAX_TOMBSTONE_BYTES)) {
          return Stop.SCAN_LIMIT;
        }
        dead++;
      } else {
        int entryBytes = clustering.size() + value.size();
        if (live == limit.entries()) {
          return Stop.ENTRY_LIMIT;
        }
        if (live > 0 && excess(entryBytes) > 0) {
          return Stop.BYTE_LIMIT;
        }
        live++;
        liveBytes += entryBytes;
      }
      rows.add(row);
      passed = clustering;
      return null;
    }

    RowPage end(Stop stop) {
      return RowPage.of(rows, stop, stop == Stop.END ? null : passed);
    }
  }

  /** Returns whether the key is the exclusive bound at which the range begins. */
  private static boolean isBefore(Range range, Bytes clustering) {
    return range.direction() == Direction.FORWARD
        ? clustering.equals(range.from())
        : clustering.equals(range.to());
  }

  private static void seek(RocksIterator rows, byte[] prefix, Range range) {
    if (range.direction() == Direction.FORWARD) {
      Bytes from = range.from();
      rows.seek(from == null ? prefix : join(prefix, from));
      return;
    }
    Bytes to = range.to();
    if (to != null) {
      rows.seekForPrev(join(prefix, to));
    } else {
      byte[] end = prefix.clone();
      end[end.length - 1]++;
      rows.seekForPrev(end);
    }
  }

  private static void step(RocksIterator rows, boolean forward) {
    if (forward) {
      rows.next();
    } else {
      rows.prev();
    }
  }

  private static byte[] join(byte[] prefix, Bytes clustering) {
    byte[] joined = Arrays.copyOf(prefix, prefix.length + clustering.size());
    clustering.copyTo(joined, prefix.length);
    return joined;
  }

  public Page scan(Table table, ScanTask task, @Nullable Bytes position, PageLimit limit) {
    return scan(table, task, position, limit, Admission.OPEN);
  }

  /**
   * Returns a page of a scan. Scans are for the runner, which no gate refuses.
   *
   * @param admission is asked before a first row is read that is larger than the page may be
   */
  public Page scan(
      Table table, ScanTask task, @Nullable Bytes position, PageLimit limit, Admission admission) {
    table.requireExists();
    int first = (int) Math.max(0, Math.min(task.after(), partitions) + 1);
    int last = (int) Math.max(-1, Math.min(task.upTo(), partitions - 1));
    if (first > last) {
      return Page.getDefaultInstance();
    }
    byte[] from = Keys.partition(table.id(), first);
    if (position != null) {
      if (position.size() <= Keys.PARTITION_BYTES - Integer.BYTES) {
        throw new KvException.Permanent(
            "the scan's position is not one of this store: start the scan again");
      }
      from = new byte[Integer.BYTES + position.size()];
      ByteBuffer.wrap(from).putInt(table.id());
      position.copyTo(from, Integer.BYTES);
    }
    byte[] start = from;
    return database.access(
        open -> {
          try (Cursor rows = new Cursor(open.rows(), start)) {
            return scan(rows, table, last, limit, admission);
          }
        });
  }

  private Page scan(Cursor rows, Table table, int last, PageLimit limit, Admission admission)
      throws RocksDBException {
    long nowMillis = clock.millis();
    RowBlock found = new RowBlock(Math.min(limit.bytes(), FIRST_BLOCK_BYTES));
    Page.Builder page = Page.newBuilder();
    int count = 0;
    long bytes = 0;
    for (; rows.read(); rows.next()) {
      if (!Keys.belongsTo(rows.key(), table.id()) || Keys.partitionOf(rows.key()) > last) {
        break;
      }
      bytes += rows.keyLength() + rows.valueLength();
      if (count == limit.entries() || (count > 0 && bytes > limit.bytes())) {
        page.setNext(
            ByteString.copyFrom(rows.key(), Integer.BYTES, rows.keyLength() - Integer.BYTES));
        break;
      }
      readValue(rows, bytes - limit.bytes(), admission);
      Keys.append(found, rows.key(), rows.keyLength());
      Records.append(found, rows.value(), 0, rows.valueLength(), nowMillis);
      count++;
    }
    return page.setRows(found.take()).build();
  }

  private static void readValue(Cursor records, long excess, Admission admission) {
    if (excess > 0 && records.valueLength() > LARGE_ROW_BYTES) {
      admission.admit(excess);
    }
    records.readValue();
  }

  public @Nullable Changes changes(Table table, long after, int maxBytes) {
    return changes(table, after, maxBytes, Admission.OPEN);
  }

  /**
   * Returns the changes after a position; null if there are none yet.
   *
   * @param admission is asked before a first change is read that is larger than the limit
   */
  public @Nullable Changes changes(Table table, long after, int maxBytes, Admission admission) {
    table.requireExists();
    if (after < 0) {
      throw new KvException.Permanent("position " + after + " of changes: give 0 or more");
    }
    long newest = table.publishedPosition();
    if (after >= newest) {
      if (after > newest) {
        throw new KvException.Permanent(
            "collection "
                + table.name()
                + " has no position "
                + after
                + ", its newest is "
                + newest
                + ": this is another store or an older copy of it");
      }
      return null;
    }
    return database.access(
        open -> {
          try (Cursor changes = new Cursor(open.changes(), Keys.change(table.id(), after + 1))) {
            return changes(changes, table, after, newest, maxBytes, admission);
          }
        });
  }

  private static Changes changes(
      Cursor changes, Table table, long after, long newest, int maxBytes, Admission admission)
      throws RocksDBException {
    RowBlock found =
        new RowBlock((int) Math.min(maxBytes, (newest - after) * GUESSED_CHANGE_BYTES));
    long bytes = 0;
    long position = after;
    for (; position < newest; changes.next()) {
      if (!changes.read() || !Keys.belongsTo(changes.key(), table.id())) {
        throw missing(table, position + 1, newest);
      }
      long at = Keys.position(changes.key());
      if (at != position + 1) {
        throw missing(table, position + 1, at);
      }
      boolean row = Records.isRow(changes.value());
      bytes += changes.valueLength();
      if (position > after && (!row || bytes > maxBytes)) {
        break;
      }
      if (!row) {
        changes.readValue();
        return Records.mark(changes.value(), changes.valueLength(), at);
      }
      readValue(changes, bytes - maxBytes, admission);
      Records.appendChanged(found, changes.value(), changes.valueLength());
      position = at;
    }
    return Changes.newBuilder().setPosition(position).setRows(found.take()).build();
  }

  private static KvException missing(Table table, long wanted, long oldest) {
    return new KvException.Permanent(
        "collection "
            + table.name()
            + " no longer retains change "
            + wanted
            + ", its oldest is "
            + oldest
            + ": copy the collection again, then continue from there");
  }

  public ChangeSource.Window window(Table table) {
    table.requireExists();
    long newest = table.publishedPosition();
    return database.access(
        open -> {
          try (RocksIterator changes = open.changes()) {
            changes.seek(Keys.change(table.id(), 0));
            boolean found = changes.isValid() && Keys.belongsTo(changes.key(), table.id());
            changes.status();
            return ChangeSource.Window.of(
                found ? Keys.position(changes.key()) : newest + 1, newest);
          }
        });
  }

  /** Returns the approximate size of the retained changes of a collection. */
  public long changeBytes(Table table) {
    return database.access(files -> files.changeBytes(table.id(), table.droppedPosition() + 1));
  }

  /** Returns the approximate size of each partition of a collection in the files. */
  public List<Long> partitionBytes(Table table) {
    List<Long> sizes = new ArrayList<>();
    for (int partition = 0; partition < partitions; partition++) {
      byte[] from = Keys.partition(table.id(), partition);
      byte[] to = Keys.partition(table.id(), partition + 1);
      sizes.add(database.access(files -> files.rowBytes(from, to)));
    }
    return sizes;
  }
}
