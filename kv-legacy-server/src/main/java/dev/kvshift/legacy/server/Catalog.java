package dev.kvshift.legacy.server;

import dev.kvshift.api.KvException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;

/** Which collections there are. Numbers are never used twice, so a dropped one stays dropped. */
final class Catalog {
  private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9_.-]{0,127}");
  private static final String COLLECTION_PREFIX = "collection/";
  private static final byte[] NEXT_KEY = Database.utf8("nextcollection");

  private final Database database;
  private final Clock clock;
  private final Map<String, Table> byName = new ConcurrentHashMap<>();
  private final Map<Integer, Table> byId = new ConcurrentHashMap<>();

  /** Belongs to the pipeline; 0 until it was read. */
  private int nextId;

  Catalog(Database database, Clock clock) {
    this.database = database;
    this.clock = clock;
    reload();
  }

  static byte[] gateKey(int collection) {
    return ByteBuffer.allocate(5 + Integer.BYTES)
        .put(Database.utf8("gate/"))
        .putInt(collection)
        .array();
  }

  static byte[] horizonKey(int collection) {
    return ByteBuffer.allocate(8 + Integer.BYTES)
        .put(Database.utf8("horizon/"))
        .putInt(collection)
        .array();
  }

  /** Returns the key of an instance's registration, or with no name what all of them begin with. */
  static byte[] leaseKey(int collection, String instance) {
    byte[] name = Database.utf8(instance);
    return ByteBuffer.allocate(6 + Integer.BYTES + name.length)
        .put(Database.utf8("lease/"))
        .putInt(collection)
        .put(name)
        .array();
  }

  /** An instance known from before may still act on its lease: give it a whole one. */
  private static void loadLeases(OpenFiles open, Table table, long nowMillis) {
    byte[] prefix = leaseKey(table.id, "");
    try (RocksIterator metas = open.metas()) {
      for (metas.seek(prefix);
          metas.isValid() && Keys.startsWith(metas.key(), prefix);
          metas.next()) {
        byte[] key = metas.key();
        String instance =
            new String(key, prefix.length, key.length - prefix.length, StandardCharsets.UTF_8);
        long acknowledged = Database.number(metas.value(), 0);
        table.leases.put(instance, Table.Lease.from(acknowledged, nowMillis));
      }
    }
  }

  private void load(OpenFiles open) throws RocksDBException {
    Set<String> stored = new HashSet<>();
    byte[] prefix = Database.utf8(COLLECTION_PREFIX);
    try (RocksIterator metas = open.metas()) {
      for (metas.seek(prefix);
          metas.isValid() && Keys.startsWith(metas.key(), prefix);
          metas.next()) {
        byte[] key = metas.key();
        String name =
            new String(key, prefix.length, key.length - prefix.length, StandardCharsets.UTF_8);
        load(open, name, (int) Database.number(metas.value(), 0));
        stored.add(name);
      }
      metas.status();
    }
    for (Table table : tables()) {
      if (!stored.contains(table.name)) {
        forget(table);
      }
    }
    nextId = 0;
  }

  private void load(OpenFiles open, String name, int id) throws RocksDBException {
    byte[] storedGate = open.meta(gateKey(id));
    GateRecord gate = storedGate == null ? GateRecord.FIRST : Records.gate(storedGate);
    long position = lastPosition(open, id);
    long horizon = Database.number(open.meta(horizonKey(id)), 0);
    Table known = byName.get(name);
    if (known != null && known.id == id) {
      known.reload(position, gate, horizon);
      return;
    }
    Table table = new Table(id, name, position, gate, horizon);
    loadLeases(open, table, clock.millis());
    byName.put(name, table);
    byId.put(id, table);
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

  List<Table> tables() {
    return List.copyOf(byName.values());
  }

  @Nullable Table byName(String name) {
    return byName.get(name);
  }

  /**
   * Returns the collection of the number.
   *
   * @throws KvException.Permanent if there is none, or none any more
   */
  Table require(int id) {
    Table table = byId.get(id);
    if (table == null) {
      throw new KvException.Permanent("collection number " + id + " is not there: open it again");
    }
    return table;
  }

  CompletableFuture<Table> open(String name, CommitPipeline pipeline) {
    Table known = byName.get(name);
    if (known != null) {
      return CompletableFuture.completedFuture(known);
    }
    if (!NAME.matcher(name).matches()) {
      return CompletableFuture.failedFuture(
          new KvException.Permanent(
              "collection name '" + name + "': give 1 to 128 of a-z, 0-9, '_', '.' and '-'"));
    }
    return pipeline.submit(
        new Op<Table>(null, name.length(), Op.unhurried()) {
          @Override
          Table apply(Commit commit) throws RocksDBException {
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
    Table table = new Table(id, name, 0, GateRecord.FIRST, 0);
    byName.put(name, table);
    byId.put(id, table);
    return table;
  }

  CompletableFuture<@Nullable Void> drop(String name, CommitPipeline pipeline) {
    return pipeline.submit(
        new Op<@Nullable Void>(null, name.length(), Op.unhurried()) {
          @Override
          @Nullable Void apply(Commit commit) throws RocksDBException {
            Table table = byName.get(name);
            if (table != null) {
              forget(table);
              erase(table, commit);
            }
            return null;
          }
        });
  }

  private void erase(Table table, Commit commit) throws RocksDBException {
    commit.deleteMeta(Database.utf8(COLLECTION_PREFIX + table.name));
    commit.deleteMeta(gateKey(table.id));
    commit.deleteMeta(horizonKey(table.id));
    for (String instance : table.leases.keySet()) {
      commit.deleteMeta(leaseKey(table.id, instance));
    }
    commit.erase(table);
  }
}
