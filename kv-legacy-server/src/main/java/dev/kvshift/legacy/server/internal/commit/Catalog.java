package dev.kvshift.legacy.server.internal.commit;

import dev.kvshift.api.KvException;
import dev.kvshift.legacy.server.internal.storage.Database;
import dev.kvshift.legacy.server.internal.storage.Keys;
import dev.kvshift.legacy.server.internal.storage.OpenFiles;
import dev.kvshift.legacy.server.internal.storage.Records;
import dev.kvshift.spi.GateRecord;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;

/** Which collections there are. Numbers are never used twice, so a dropped one stays dropped. */
public final class Catalog {
  private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9_.-]{0,127}");
  private static final String COLLECTION_PREFIX = "collection/";

  /** Lock spaces stand among the collections, under names that no collection can have. */
  static final String LOCK_SPACE_PREFIX = "locks:";

  static final String GATE = "gate/";
  static final String HORIZON = "horizon/";
  static final String LEASE = "lease/";
  public static final String NOTE = "note/";
  public static final String CONSUMER = "consumer/";
  public static final String COUNT = "count/";
  public static final String WALK = "walk/";
  public static final String USAGE = "usage/";
  static final String LIFE = "life/";
  private static final List<String> KINDS =
      List.of(GATE, HORIZON, LEASE, NOTE, CONSUMER, COUNT, WALK, USAGE, LIFE);
  private static final byte[] NEXT_KEY = Database.utf8("nextcollection");

  private final Database database;
  private final Clock clock;
  private final String life = LogHistory.drawLife();
  private final Map<String, Table> byName = new ConcurrentHashMap<>();
  private final Map<Integer, Table> byId = new ConcurrentHashMap<>();

  /** Belongs to the pipeline; 0 until it was read. */
  private int nextId;

  public Catalog(Database database, Clock clock) {
    this.database = database;
    this.clock = clock;
    reload();
  }

  /** Returns a key of what is stored beside the rows of a collection. */
  public static byte[] key(String kind, int collection, byte... rest) {
    byte[] prefix = Database.utf8(kind);
    return ByteBuffer.allocate(prefix.length + Integer.BYTES + rest.length)
        .put(prefix)
        .putInt(collection)
        .put(rest)
        .array();
  }

  /** An instance known from before may still act on its lease: give it a whole one. */
  private static void loadLeases(OpenFiles open, Table table, long nowMillis)
      throws RocksDBException {
    named(
        open,
        key(LEASE, table.id),
        (instance, stored) ->
            table.leases.put(instance, Table.Lease.from(Database.number(stored, 0), nowMillis)));
  }

  /** Reads the records whose keys end with a name. */
  private static void named(OpenFiles open, byte[] prefix, BiConsumer<String, byte[]> record)
      throws RocksDBException {
    try (RocksIterator metas = open.metas()) {
      for (metas.seek(prefix);
          metas.isValid() && Keys.startsWith(metas.key(), prefix);
          metas.next()) {
        byte[] key = metas.key();
        record.accept(
            new String(key, prefix.length, key.length - prefix.length, StandardCharsets.UTF_8),
            metas.value());
      }
      metas.status();
    }
  }

  private void load(OpenFiles open) throws RocksDBException {
    Map<String, Integer> stored = new HashMap<>();
    named(
        open,
        Database.utf8(COLLECTION_PREFIX),
        (name, id) -> stored.put(name, (int) Database.number(id, 0)));
    for (Map.Entry<String, Integer> collection : stored.entrySet()) {
      load(open, collection.getKey(), collection.getValue());
    }
    for (Table table : tables()) {
      if (!stored.containsKey(table.name)) {
        forget(table);
      }
    }
    nextId = 0;
  }

  private void load(OpenFiles open, String name, int id) throws RocksDBException {
    byte[] storedGate = open.meta(key(GATE, id));
    GateRecord gate = storedGate == null ? GateRecord.first() : Records.gate(storedGate);
    long position = lastPosition(open, id);
    long dropped = firstPosition(open, id, position + 1) - 1;
    long horizon = Database.number(open.meta(key(HORIZON, id)), 0);
    Table known = byName.get(name);
    if (known != null && known.id == id) {
      known.reload(position, dropped, gate, horizon);
      loadHistory(open, known);
      return;
    }
    Table table =
        new Table(id, name, position, dropped, gate, horizon, new LogHistory(life + "-" + id));
    loadHistory(open, table);
    loadLeases(open, table, clock.millis());
    named(
        open,
        key(CONSUMER, id),
        (consumer, state) -> table.consumers.put(consumer, ChangeConsumer.read(state)));
    byName.put(name, table);
    byId.put(id, table);
  }

  private static void loadHistory(OpenFiles open, Table table) throws RocksDBException {
    Map<Long, String> lives = new HashMap<>();
    byte[] prefix = key(LIFE, table.id);
    try (RocksIterator metas = open.metas()) {
      for (metas.seek(prefix);
          metas.isValid() && Keys.startsWith(metas.key(), prefix);
          metas.next()) {
        lives.put(
            ByteBuffer.wrap(metas.key(), prefix.length, Long.BYTES).getLong(),
            new String(metas.value(), StandardCharsets.UTF_8));
      }
      metas.status();
    }
    table.history.load(lives);
  }

  /**
   * Returns the identity of a collection's change log up to a position; fails with {@code
   * Permanent} if it has no such position.
   */
  public CompletableFuture<String> logId(Table table, long position, CommitPipeline pipeline) {
    table.requireThere();
    if (position < 0 || position > table.publishedPosition()) {
      throw new KvException.Permanent(
          "collection "
              + table.name
              + " has no change at position "
              + position
              + ", its last one is at "
              + table.publishedPosition()
              + ": its log was made anew or restored from an older state");
    }
    if (table.history.hasOrigin()) {
      return CompletableFuture.completedFuture(table.history.idAt(position));
    }
    return pipeline.submit(
        new Op<String>(table, 0, Op.unhurried()) {
          @Override
          public String apply(Commit commit) {
            commit.beginLife(table, 0);
            return table.history.idAt(position);
          }
        });
  }

  private void forget(Table table) {
    byName.remove(table.name);
    byId.remove(table.id);
    table.drop();
  }

  /** Reads everything anew; what was not committed after all is gone. */
  void reload() {
    database.access(
        open -> {
          load(open);
          return null;
        });
  }

  private static long lastPosition(OpenFiles open, int id) throws RocksDBException {
    try (RocksIterator changes = open.changes()) {
      changes.seekForPrev(Keys.change(id, Long.MAX_VALUE));
      boolean found = changes.isValid() && Keys.belongsTo(changes.key(), id);
      changes.status();
      return found ? Keys.position(changes.key()) : 0;
    }
  }

  private static long firstPosition(OpenFiles open, int id, long otherwise)
      throws RocksDBException {
    try (RocksIterator changes = open.changes()) {
      changes.seek(Keys.change(id, 0));
      boolean found = changes.isValid() && Keys.belongsTo(changes.key(), id);
      changes.status();
      return found ? Keys.position(changes.key()) : otherwise;
    }
  }

  public List<Table> tables() {
    return List.copyOf(byName.values());
  }

  public @Nullable Table byName(String name) {
    return byName.get(name);
  }

  /**
   * Returns the collection of the number.
   *
   * @throws KvException.Permanent if there is none, or none any more
   */
  public Table require(int id) {
    Table table = byId.get(id);
    if (table == null) {
      throw new KvException.Permanent("collection number " + id + " is not there: open it again");
    }
    return table;
  }

  public @Nullable Table byId(int id) {
    return byId.get(id);
  }

  public CompletableFuture<Table> open(String name, CommitPipeline pipeline) {
    Table known = byName.get(name);
    if (known != null) {
      return CompletableFuture.completedFuture(known);
    }
    requireName(name);
    return make(name, pipeline);
  }

  /** Returns what stands for a lock space; made at its first use. */
  public CompletableFuture<Table> lockSpace(String space, CommitPipeline pipeline) {
    Table known = byName.get(LOCK_SPACE_PREFIX + space);
    return known != null
        ? CompletableFuture.completedFuture(known)
        : make(LOCK_SPACE_PREFIX + space, pipeline);
  }

  private static void requireName(String name) {
    if (!NAME.matcher(name).matches()) {
      throw new KvException.Permanent(
          "collection name '" + name + "': give 1 to 128 of a-z, 0-9, '_', '.' and '-'");
    }
  }

  private CompletableFuture<Table> make(String name, CommitPipeline pipeline) {
    return pipeline.submit(
        new Op<Table>(null, name.length(), Op.unhurried()) {
          @Override
          public Table apply(Commit commit) throws RocksDBException {
            Table raced = byName.get(name);
            return raced == null ? create(name, commit) : raced;
          }
        });
  }

  private Table create(String name, Commit commit) throws RocksDBException {
    int id = nextId;
    if (id == 0) {
      id = (int) Database.number(commit.meta(NEXT_KEY), 1);
    }
    nextId = id + 1;
    commit.putMeta(NEXT_KEY, Database.number(nextId));
    commit.putMeta(Database.utf8(COLLECTION_PREFIX + name), Database.number(id));
    Table table = new Table(id, name, 0, 0, GateRecord.first(), 0, new LogHistory(life + "-" + id));
    byName.put(name, table);
    byId.put(id, table);
    return table;
  }

  public CompletableFuture<@Nullable Void> drop(String name, CommitPipeline pipeline) {
    requireName(name);
    return pipeline.submit(
        new Op<@Nullable Void>(null, name.length(), Op.unhurried()) {
          @Override
          public @Nullable Void apply(Commit commit) {
            Table table = byName.get(name);
            if (table != null) {
              forget(table);
              erase(table, commit);
            }
            return null;
          }
        });
  }

  private void erase(Table table, Commit commit) {
    commit.deleteMeta(Database.utf8(COLLECTION_PREFIX + table.name));
    for (String kind : KINDS) {
      commit.eraseMetas(key(kind, table.id), key(kind, table.id + 1));
    }
    commit.erase(table);
  }
}
