package dev.kvshift.memory;

import dev.kvshift.api.Bytes;
import dev.kvshift.spi.CollectionRecord;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The data that all stores of one name share. It lives until the last of them is closed. */
final class MemoryServer {
  private static final Map<String, MemoryServer> OPEN = new HashMap<>();

  final String name;
  final Clock clock;
  final Duration purgeAfter;
  final MetadataRecords metadata = new MetadataRecords();

  private final Map<TableName, Table> tables = new ConcurrentHashMap<>();
  private final Map<String, LockSpace> spaces = new ConcurrentHashMap<>();
  private final Map<String, ReadRecord> records = new ConcurrentHashMap<>();
  private int users;

  private record ReadRecord(Bytes bytes, CollectionRecord record) {}

  private record TableName(String collection, long incarnation) {}

  private MemoryServer(String name, MemoryOptions options) {
    this.name = name;
    this.clock = options.clock();
    this.purgeAfter = options.purgeAfter();
  }

  static MemoryServer acquire(String name, MemoryOptions options) {
    synchronized (OPEN) {
      MemoryServer server = OPEN.computeIfAbsent(name, added -> new MemoryServer(added, options));
      server.users++;
      return server;
    }
  }

  void release(Object owner) {
    tables.values().forEach(table -> table.forget(owner));
    synchronized (OPEN) {
      users--;
      if (users == 0) {
        OPEN.remove(name);
      }
    }
  }

  Instant now() {
    return clock.instant();
  }

  Table table(String collection, long incarnation) {
    return tables.computeIfAbsent(
        new TableName(collection, incarnation), added -> new Table(this, collection, incarnation));
  }

  void drop(String collection, long incarnation) {
    Table table = tables.remove(new TableName(collection, incarnation));
    if (table != null) {
      table.drop();
    }
  }

  LockSpace space(String space) {
    return spaces.computeIfAbsent(space, added -> new LockSpace(added, clock));
  }

  @Nullable CollectionRecord record(String collection) {
    Bytes bytes = metadata.find(CollectionRecord.metadataName(collection));
    if (bytes == null) {
      return null;
    }
    ReadRecord read = records.get(collection);
    if (read == null || !read.bytes.equals(bytes)) {
      read = new ReadRecord(bytes, CollectionRecord.parse(collection, bytes));
      records.put(collection, read);
    }
    return read.record;
  }
}
