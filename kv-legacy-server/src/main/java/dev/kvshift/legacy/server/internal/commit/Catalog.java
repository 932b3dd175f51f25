package dev.kvshift.legacy.server.internal.commit;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.legacy.server.internal.storage.Database;
import dev.kvshift.legacy.server.internal.storage.Keys;
import dev.kvshift.legacy.server.internal.storage.LeaderClock;
import dev.kvshift.legacy.server.internal.storage.MetaKeys;
import dev.kvshift.legacy.server.internal.storage.OpenFiles;
import dev.kvshift.legacy.server.internal.storage.Records;
import dev.kvshift.legacy.wire.LegacyLimits;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.GateRecord;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;

/**
 * The collections of the store, by name and by number.
 *
 * <p>Lookups are safe for use by many threads and see only what is durable. A number that is handed
 * out before its record is durable could be given to another collection after a failure, and writes
 * by number would land there. For the same reason no number is ever used twice. Changes are
 * confined to the commit pipeline.
 */
public final class Catalog {
  private static final String COLLECTION_PREFIX = "collection/";
  private static final byte[] NEXT_KEY = Database.utf8("nextcollection");

  /** The id of this process in the histories of the change logs. */
  private final String life = LogHistory.drawLife();

  private final Database database;
  private final LeaderClock clock;
  private final Map<String, Table> byName = new ConcurrentHashMap<>();
  private final Map<Integer, Table> byId = new ConcurrentHashMap<>();

  /** The collections as the batch in progress leaves them. */
  private final Map<String, Table> current = new HashMap<>();

  /** The collections that the batch in progress has created and dropped. */
  private final List<Table> created = new ArrayList<>();

  private final List<Table> dropped = new ArrayList<>();
  private int lockSpaces;
  private int records;
  private int nextId = 1;

  public Catalog(Database database, LeaderClock clock) {
    this.database = database;
    this.clock = clock;
    reload();
  }

  /** Reads all collections from the files, and forgets what was not committed. */
  void reload() {
    database.access(
        open -> {
          load(open);
          return null;
        });
    for (Table table : tables()) {
      if (current.get(table.name()) != table) {
        table.drop();
        unpublish(table);
      }
    }
    current.values().forEach(this::publish);
  }

  private void load(OpenFiles open) throws RocksDBException {
    Map<String, Integer> stored = new HashMap<>();
    named(
        open,
        Database.utf8(COLLECTION_PREFIX),
        (name, id) -> stored.put(name, (int) Database.number(id, 0)));
    current.clear();
    created.clear();
    dropped.clear();
    lockSpaces = 0;
    records = 0;
    named(open, MetadataOperations.key(""), (name, record) -> records++);
    for (Map.Entry<String, Integer> collection : stored.entrySet()) {
      Table table = load(open, collection.getKey(), collection.getValue());
      current.put(table.name(), table);
      lockSpaces += table.isLockSpace() ? 1 : 0;
    }
    nextId = Math.max(nextId, (int) Database.number(open.meta(NEXT_KEY), 1));
  }

  private Table load(OpenFiles open, String name, int id) throws RocksDBException {
    byte[] storedGate = open.meta(MetaKeys.of(MetaKeys.GATE, id));
    long position = lastPosition(open, id);
    Table.Stored stored =
        new Table.Stored(
            position,
            firstPosition(open, id, position + 1) - 1,
            Database.number(open.meta(MetaKeys.of(MetaKeys.HORIZON, id)), 0),
            storedGate == null ? GateRecord.first() : Records.gate(storedGate),
            isImporting(MetadataOperations.collection(open, name)));
    Table known = byId.get(id);
    Table table = known == null ? newTable(id, name) : known;
    table.load(stored);
    loadHistory(open, table);
    loadConsumers(open, table);
    if (known == null) {
      loadLeases(open, table);
    }
    return table;
  }

  private Table newTable(int id, String name) {
    return new Table(id, name, new LogHistory(life + "-" + id), clock);
  }

  private static void loadHistory(OpenFiles open, Table table) throws RocksDBException {
    Map<Long, String> lives = new HashMap<>();
    byte[] prefix = MetaKeys.of(MetaKeys.LIFE, table.id());
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
    table.history().load(lives);
  }

  private static void loadConsumers(OpenFiles open, Table table) throws RocksDBException {
    Map<String, ChangeConsumer> consumers = new HashMap<>();
    named(
        open,
        MetaKeys.of(MetaKeys.CONSUMER, table.id()),
        (consumer, state) -> consumers.put(consumer, ChangeConsumer.read(state)));
    table.consumers().keySet().retainAll(consumers.keySet());
    table.consumers().putAll(consumers);
  }

  /** Grants full leases, since an instance from before a restart may still act on its own. */
  private static void loadLeases(OpenFiles open, Table table) throws RocksDBException {
    named(
        open,
        MetaKeys.of(MetaKeys.LEASE, table.id()),
        (instance, stored) -> table.instances().restore(instance, Database.number(stored, 0)));
  }

  /** Reads all records whose keys are the prefix and a name. */
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

  /** Makes the changes of a batch visible, once they are durable. */
  void publish() {
    created.forEach(this::publish);
    created.clear();
    dropped.forEach(this::unpublish);
    dropped.clear();
  }

  private void publish(Table table) {
    byId.put(table.id(), table);
    byName.put(table.name(), table);
  }

  private void unpublish(Table table) {
    byName.remove(table.name(), table);
    byId.remove(table.id());
    table.publish();
  }

  public List<Table> tables() {
    return List.copyOf(byId.values());
  }

  public @Nullable Table byName(String name) {
    return byName.get(name);
  }

  public @Nullable Table byId(int id) {
    return byId.get(id);
  }

  /**
   * Returns the collection with a number.
   *
   * @throws KvException.Permanent if it was dropped, or never existed
   */
  public Table require(int id) {
    Table table = byId.get(id);
    if (table == null) {
      throw new KvException.Permanent(
          "collection number " + id + " does not exist: open the collection again");
    }
    return table;
  }

  /**
   * Returns the collection as the batch in progress leaves it, created if it does not exist.
   *
   * @throws KvException.Permanent if it would exceed the number of collections or lock spaces
   */
  Table create(String name, Commit commit) {
    Table existing = current.get(name);
    if (existing != null) {
      return existing;
    }
    Table table = newTable(nextId, name);
    requireRoom(table);
    nextId++;
    commit.putMeta(NEXT_KEY, Database.number(nextId));
    commit.putMeta(Database.utf8(COLLECTION_PREFIX + name), Database.number(table.id()));
    commit.requireSync();
    current.put(name, table);
    created.add(table);
    lockSpaces += table.isLockSpace() ? 1 : 0;
    return table;
  }

  /**
   * Returns the collection for a driver that opens it, created if it does not exist.
   *
   * @param incarnation the incarnation that its record named; 0 for a driver that keeps no records
   * @throws KvException.Permanent if a migration fills it, and the driver keeps no records
   * @throws KvException.Transient if its record names another incarnation now
   */
  Table open(String name, long incarnation, Commit commit) throws RocksDBException {
    CollectionRecord record = MetadataOperations.collection(commit, name);
    boolean isImporting = isImporting(record);
    if (incarnation == 0 && isImporting) {
      throw Table.filled(name);
    }
    if (incarnation != 0 && (record == null || record.incarnation() != incarnation)) {
      throw new KvException.Transient(
          "collection " + name + " was begun again meanwhile: open it again");
    }
    Table table = create(name, commit);
    commit.setImporting(table, isImporting);
    return table;
  }

  private static boolean isImporting(@Nullable CollectionRecord record) {
    return record != null && record.state() == CollectionRecord.State.IMPORTING;
  }

  /**
   * Lets a collection follow its record, which decides whose it is. A migration begins with an
   * empty collection of its own, in each incarnation: whoever holds an older one is refused. The
   * leader leads once the record is active, above the record's floor and every version that the
   * collection has got.
   *
   * @param before the record before; null for none
   * @param next the record to be; null for none
   * @throws KvException.Permanent if the record cannot become so; nothing was changed
   */
  void follow(
      String name,
      @Nullable CollectionRecord before,
      @Nullable CollectionRecord next,
      Commit commit) {
    boolean isImporting = isImporting(next);
    Table table = current.get(name);
    if (before == null && isImporting && table != null && isUsed(table)) {
      throw new KvException.Permanent(
          "collection "
              + name
              + " is in use on this store, whose leader has written to it; nothing was changed: move"
              + " into another store, or drop the collection first");
    }
    if (before != null && !mayFollow(before, next)) {
      throw new KvException.Permanent(
          "the record of collection "
              + name
              + " cannot go from "
              + before
              + " to "
              + next
              + "; nothing was changed: end its import, or begin it again");
    }
    if (next != null && !isImporting) {
      commit.versions().keep(next.floor());
    }
    boolean isNewLife =
        before == null ? isImporting : next != null && next.incarnation() > before.incarnation();
    if (isNewLife) {
      drop(name, commit);
      table = isImporting ? create(name, commit) : null;
    }
    if (table != null) {
      commit.setImporting(table, isImporting);
    }
  }

  private static boolean isUsed(Table table) {
    return table.position() > 0 || !table.gate().equals(GateRecord.first());
  }

  private static boolean mayFollow(CollectionRecord before, @Nullable CollectionRecord next) {
    if (next == null) {
      return !isImporting(before);
    }
    return next.incarnation() == before.incarnation()
        ? isImporting(before) || !isImporting(next)
        : next.incarnation() > before.incarnation();
  }

  /**
   * Checks the number of small records before one is added.
   *
   * @throws KvException.Permanent if there are too many
   */
  void requireRoomForRecord(@Nullable Bytes before, @Nullable Bytes next) {
    if (before == null && next != null && records >= LegacyLimits.MAX_RECORDS) {
      throw new KvException.Permanent(
          "the store has "
              + records
              + " metadata records, the limit is "
              + LegacyLimits.MAX_RECORDS
              + ": retire migrations that have ended, or use another server");
    }
  }

  /** Counts a small record that is added or removed. */
  void countRecord(@Nullable Bytes before, @Nullable Bytes next) {
    records += (next == null ? 0 : 1) - (before == null ? 0 : 1);
  }

  /** Each of them takes memory for as long as the store is open, even if it is not used. */
  private void requireRoom(Table table) {
    if (table.isLockSpace() && lockSpaces >= LegacyLimits.MAX_LOCK_SPACES) {
      throw new KvException.Permanent(
          "the store has "
              + lockSpaces
              + " lock spaces, the limit is "
              + LegacyLimits.MAX_LOCK_SPACES
              + ": use an existing one; the keys of a space are locked one by one");
    }
    int collections = current.size() - lockSpaces;
    if (!table.isLockSpace() && collections >= LegacyLimits.MAX_COLLECTIONS) {
      throw new KvException.Permanent(
          "the store has "
              + collections
              + " collections, the limit is "
              + LegacyLimits.MAX_COLLECTIONS
              + ": drop one that is no longer used, or use another server");
    }
  }

  /** Drops the collection with a name, and does nothing if it does not exist. */
  void drop(String name, Commit commit) {
    Table table = current.remove(name);
    if (table == null) {
      return;
    }
    table.drop();
    dropped.add(table);
    lockSpaces -= table.isLockSpace() ? 1 : 0;
    commit.deleteMeta(Database.utf8(COLLECTION_PREFIX + name));
    for (String kind : MetaKeys.kinds()) {
      commit.eraseMetas(MetaKeys.of(kind, table.id()), MetaKeys.of(kind, table.id() + 1));
    }
    commit.erase(table);
    commit.requireSync();
  }
}
