package dev.kvshift.legacy.server;

import dev.kvshift.api.KvException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
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
  private final long nowMillis;
  private final Map<String, Table> byName = new ConcurrentHashMap<>();
  private final Map<Integer, Table> byId = new ConcurrentHashMap<>();

  /** Belongs to the pipeline; 0 until it was read. */
  private int nextId;

  Catalog(Database database, long nowMillis) {
    this.database = database;
    this.nowMillis = nowMillis;
    database.access(
        open -> {
          load(open);
          return null;
        });
  }

  static byte[] gateKey(int collection) {
    return ByteBuffer.allocate(5 + Integer.BYTES)
        .put(Database.utf8("gate/"))
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
  private static void loadLeases(Database open, Table table, long nowMillis) {
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

  private void load(Database open) throws RocksDBException {
    byte[] prefix = Database.utf8(COLLECTION_PREFIX);
    try (RocksIterator metas = open.metas()) {
      for (metas.seek(prefix);
          metas.isValid() && Keys.startsWith(metas.key(), prefix);
          metas.next()) {
        byte[] key = metas.key();
        String name =
            new String(key, prefix.length, key.length - prefix.length, StandardCharsets.UTF_8);
        int id = (int) Database.number(metas.value(), 0);
        byte[] gate = open.meta(gateKey(id));
        Table table =
            new Table(
                id,
                name,
                lastPosition(open, id),
                gate == null ? GateRecord.FIRST : Records.gate(gate));
        loadLeases(open, table, nowMillis);
        add(table);
      }
      metas.status();
    }
  }

  private static long lastPosition(Database open, int id) throws RocksDBException {
    try (RocksIterator changes = open.changes()) {
      changes.seekForPrev(Keys.change(id, Long.MAX_VALUE));
      boolean found = changes.isValid() && Keys.belongsTo(changes.key(), id);
      changes.status();
      return found ? Keys.position(changes.key()) : 0;
    }
  }

  private void add(Table table) {
    byName.put(table.name, table);
    byId.put(table.id, table);
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
      id = (int) Database.number(database.meta(NEXT_KEY), 1);
    }
    nextId = id + 1;
    database.putMeta(commit.batch(), NEXT_KEY, Database.number(nextId));
    database.putMeta(commit.batch(), Database.utf8(COLLECTION_PREFIX + name), Database.number(id));
    Table table = new Table(id, name, 0, GateRecord.FIRST);
    add(table);
    return table;
  }

  CompletableFuture<@Nullable Void> drop(String name, CommitPipeline pipeline) {
    return pipeline.submit(
        new Op<@Nullable Void>(null, name.length(), Op.unhurried()) {
          @Override
          @Nullable Void apply(Commit commit) throws RocksDBException {
            Table table = byName.remove(name);
            if (table != null) {
              byId.remove(table.id);
              table.drop();
              erase(table, commit);
            }
            return null;
          }
        });
  }

  private void erase(Table table, Commit commit) throws RocksDBException {
    database.deleteMeta(commit.batch(), Database.utf8(COLLECTION_PREFIX + table.name));
    database.deleteMeta(commit.batch(), gateKey(table.id));
    for (String instance : table.leases.keySet()) {
      database.deleteMeta(commit.batch(), leaseKey(table.id, instance));
    }
    database.deleteRows(
        commit.batch(), Keys.partition(table.id, 0), Keys.partition(table.id + 1, 0));
    database.deleteChanges(commit.batch(), Keys.change(table.id, 0), Keys.change(table.id + 1, 0));
  }
}
