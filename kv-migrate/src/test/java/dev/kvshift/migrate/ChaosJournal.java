package dev.kvshift.migrate;

import com.google.common.base.Splitter;
import dev.kvshift.migrate.ChaosService.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What the clients of the services know of their keys. Each key has one client, which sends one
 * operation at a time, so a key must show what was acknowledged last, or any value whose outcome
 * was never known.
 */
final class ChaosJournal {
  private final Map<String, String> acknowledged = new HashMap<>();
  private final Map<String, Set<String>> uncertain = new HashMap<>();
  private final Map<String, Set<String>> read = new HashMap<>();
  private int operations;
  private int failed;
  private int unknown;

  /** What is wrong with a key in the end. */
  enum Fault {
    NONE,
    /** An acknowledged write is not there, and nothing else is. */
    MISSING,
    /** Something else is there. */
    DIFFERENT,
    /** A value is there that was certainly deleted. */
    RESURRECTED
  }

  static ChaosJournal read(Path folder) throws IOException {
    ChaosJournal journal = new ChaosJournal();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.sorted().toList()) {
        journal.add(Files.readAllLines(file));
      }
    }
    return journal;
  }

  /** Adds the lines of one client, whose processes were killed and started again. */
  void add(List<String> lines) {
    String pendingKey = null;
    String pendingValue = null;
    for (String line : lines) {
      List<String> parts = Splitter.on(' ').splitToList(line);
      if (parts.size() != 3) {
        continue;
      }
      Kind kind = Kind.valueOf(parts.get(0));
      String key = parts.get(1);
      String value = parts.get(2);
      boolean isEnd = kind == Kind.DONE || kind == Kind.UNKNOWN || kind == Kind.FAILED;
      if (pendingKey != null && !isEnd) {
        uncertain.computeIfAbsent(pendingKey, added -> new HashSet<>()).add(pendingValue);
        unknown++;
      }
      pendingKey = kind == Kind.SENT ? key : null;
      pendingValue = value;
      switch (kind) {
        case SENT -> operations++;
        case DONE -> acknowledged.put(key, value);
        case UNKNOWN -> {
          unknown++;
          uncertain.computeIfAbsent(key, added -> new HashSet<>()).add(value);
        }
        case FAILED, NOT_READ -> failed++;
        case READ -> check(key, value);
      }
    }
    if (pendingKey != null) {
      uncertain.computeIfAbsent(pendingKey, added -> new HashSet<>()).add(pendingValue);
    }
  }

  private void check(String key, String value) {
    operations++;
    if (fault(key, value) != Fault.NONE) {
      read.computeIfAbsent(key, added -> new HashSet<>()).add(value);
    }
  }

  /** Returns what a key's value says of the writes so far. */
  Fault fault(String key, String value) {
    String last = acknowledged.getOrDefault(key, ChaosService.DELETED);
    if (value.equals(last) || uncertain.getOrDefault(key, Set.of()).contains(value)) {
      return Fault.NONE;
    }
    if (value.equals(ChaosService.DELETED)) {
      return Fault.MISSING;
    }
    return last.equals(ChaosService.DELETED) ? Fault.RESURRECTED : Fault.DIFFERENT;
  }

  Set<String> keys() {
    Set<String> keys = new HashSet<>(acknowledged.keySet());
    keys.addAll(uncertain.keySet());
    return keys;
  }

  /** Returns the keys whose client has read what it must not, with the values. */
  Map<String, Set<String>> wrongReads() {
    return read;
  }

  int operations() {
    return operations;
  }

  int failed() {
    return failed;
  }

  int unknown() {
    return unknown;
  }
}
