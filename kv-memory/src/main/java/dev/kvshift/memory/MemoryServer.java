package dev.kvshift.memory;

import dev.kvshift.api.Bytes;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.InstanceReport;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The data that all stores of one name share. It is dropped when the last of them is closed. */
final class MemoryServer {
  private static final Map<String, MemoryServer> OPEN = new HashMap<>();

  /** Prefix of a space of locks in a list of names that also holds collections. */
  private static final String LOCKS = "locks:";

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

  /** Renews the lease of a process with each of its collections that exist here. */
  Map<String, Gate.State> report(InstanceReport report) {
    Map<String, Gate.State> states = new TreeMap<>();
    for (String use : report.uses().keySet()) {
      if (use.startsWith(LOCKS)) {
        LockSpace space = space(use.substring(LOCKS.length()));
        space.withGate(gate -> reported(gate, report));
        states.put(use, space.state());
      } else {
        Table table = tables.get(new TableName(use, 1));
        if (table != null) {
          table.withGate(gate -> reported(gate, report));
          states.put(use, table.gateState());
        }
      }
    }
    return states;
  }

  private static InstanceReport reported(LeaderGate gate, InstanceReport report) {
    gate.report(report);
    return report;
  }

  /** Moves the collections, each with its attempt; moves none if one of them refuses. */
  Map<String, Gate.State> moveAll(Map<String, String> attempts) {
    Map<String, Table> moved = new TreeMap<>();
    Deque<Map.Entry<Table, String>> steps = new ArrayDeque<>();
    for (Map.Entry<String, String> attempt : new TreeMap<>(attempts).entrySet()) {
      Table table = table(attempt.getKey(), 1);
      moved.put(attempt.getKey(), table);
      steps.add(Map.entry(table, attempt.getValue()));
    }
    Table.moveAll(steps);
    Map<String, Gate.State> states = new TreeMap<>();
    moved.forEach((collection, table) -> states.put(collection, table.gateState()));
    return states;
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
