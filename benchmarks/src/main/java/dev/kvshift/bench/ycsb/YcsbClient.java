package dev.kvshift.bench.ycsb;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Continuation;
import dev.kvshift.api.Entry;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.RangePage;
import dev.kvshift.api.ShardRule;
import dev.kvshift.model.Stores;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.Vector;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import site.ycsb.ByteIterator;
import site.ycsb.DB;
import site.ycsb.DBException;
import site.ycsb.Status;

/**
 * Runs YCSB's workloads on a store: {@code -db dev.kvshift.bench.ycsb.YcsbClient -p
 * kvshift.store=scylla://…}.
 *
 * <p>A table is a collection, and a record is one entry, whose value has all fields: an update of
 * some fields reads the others first, unless {@code writeallfields=true}. With {@code
 * kvshift.shape=point}, the default, records are points, which cannot be scanned; with {@code
 * range}, all of them belong to one main key, with shards by the first two digits of YCSB's keys.
 *
 * <p>YCSB gives each of its threads an instance. All of them share one store, as the threads of a
 * service do.
 */
public final class YcsbClient extends DB {
  /** The property with the connection string, or a reference to one. */
  static final String STORE = "kvshift.store";

  /** The property with the shape of the collection: point or range. */
  static final String SHAPE = "kvshift.shape";

  /** YCSB's property with the number of fields of a record. */
  private static final String FIELD_COUNT = "fieldcount";

  private static final String DEFAULT_FIELD_COUNT = "10";

  /** Keys are "user" and a number, so that the fifth byte is the first that differs. */
  private static final int SHARD_BITS = 48;

  private static final Object LOCK = new Object();
  private static @Nullable KvStore shared;
  private static int users;

  private final Map<String, KvCollection> collections = new ConcurrentHashMap<>();
  private KvStore store;
  private boolean isRange;
  private int fieldCount;

  @Override
  public void init() throws DBException {
    String string = getProperties().getProperty(STORE);
    if (string == null) {
      throw new DBException("no store: give -p " + STORE + "=scylla://…");
    }
    String shape = getProperties().getProperty(SHAPE, "point");
    if (!shape.equals("point") && !shape.equals("range")) {
      throw new DBException(SHAPE + "=" + shape + ": give point or range");
    }
    isRange = shape.equals("range");
    fieldCount = Integer.parseInt(getProperties().getProperty(FIELD_COUNT, DEFAULT_FIELD_COUNT));
    synchronized (LOCK) {
      try {
        KvStore opened = shared == null ? Stores.connect(string) : shared;
        shared = opened;
        store = opened;
        users++;
      } catch (KvException e) {
        throw new DBException(e);
      }
    }
  }

  @Override
  public void cleanup() {
    synchronized (LOCK) {
      users--;
      if (users == 0 && shared != null) {
        shared.close();
        shared = null;
      }
    }
  }

  @Override
  public Status read(
      String table, String key, @Nullable Set<String> fields, Map<String, ByteIterator> result) {
    return status(
        () -> {
          Optional<Bytes> found = collection(table).get(key(table, key));
          if (found.isEmpty()) {
            return Status.NOT_FOUND;
          }
          result.putAll(YcsbRecord.decode(found.get()).select(fields));
          return Status.OK;
        });
  }

  @Override
  @SuppressWarnings({"JdkObsolete", "NonApiType"}) // YCSB's signature
  public Status scan(
      String table,
      String startkey,
      int recordcount,
      @Nullable Set<String> fields,
      Vector<HashMap<String, ByteIterator>> result) {
    if (!isRange) {
      return Status.NOT_IMPLEMENTED;
    }
    return status(
        () -> {
          Range range = Range.from(Bytes.utf8(startkey));
          Continuation next = null;
          do {
            PageLimit limit =
                PageLimit.entries(Math.min(PageLimit.MAX_ENTRIES, recordcount - result.size()));
            RangePage page = collection(table).getRange(Bytes.utf8(table), range, limit, next);
            for (Entry entry : page.entries()) {
              result.add(YcsbRecord.decode(entry.value()).select(fields));
            }
            next = page.next();
          } while (next != null && result.size() < recordcount);
          return Status.OK;
        });
  }

  @Override
  public Status update(String table, String key, Map<String, ByteIterator> values) {
    YcsbRecord changed = YcsbRecord.of(values);
    if (values.size() >= fieldCount) {
      return write(table, key, changed);
    }
    return status(
        () -> {
          Optional<Bytes> found = collection(table).get(key(table, key));
          return found.isEmpty()
              ? Status.NOT_FOUND
              : write(table, key, YcsbRecord.decode(found.get()).with(changed));
        });
  }

  @Override
  public Status insert(String table, String key, Map<String, ByteIterator> values) {
    return write(table, key, YcsbRecord.of(values));
  }

  @Override
  public Status delete(String table, String key) {
    return status(
        () -> {
          collection(table).delete(key(table, key));
          return Status.OK;
        });
  }

  private Status write(String table, String key, YcsbRecord values) {
    return status(
        () -> {
          collection(table).put(key(table, key), values.encode());
          return Status.OK;
        });
  }

  private KvCollection collection(String table) {
    return collections.computeIfAbsent(
        table,
        unknown ->
            store.collection(
                unknown, isRange ? Layout.range(ShardRule.firstBits(SHARD_BITS)) : Layout.point()));
  }

  private Key key(String table, String key) {
    return isRange ? Key.of(Bytes.utf8(table), Bytes.utf8(key)) : Key.of(Bytes.utf8(key));
  }

  /** YCSB counts statuses, and has no place for an error's message. */
  private static Status status(Supplier<Status> operation) {
    try {
      return operation.get();
    } catch (KvException.Transient e) {
      return Status.SERVICE_UNAVAILABLE;
    } catch (KvException.UnknownOutcome e) {
      return Status.UNEXPECTED_STATE;
    } catch (KvException e) {
      return Status.ERROR;
    }
  }
}
