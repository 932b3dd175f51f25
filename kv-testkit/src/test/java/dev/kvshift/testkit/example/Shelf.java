package dev.kvshift.testkit.example;

import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicBoolean;

/** The database of the example: named boards with rows in key order. */
record Shelf(String name, Map<String, Board> boards) {
  /** The rows of one collection, and whether it was dropped. */
  record Board(ConcurrentSkipListMap<StoreKey, Row> rows, AtomicBoolean dropped) {}

  static Shelf of(String name) {
    return new Shelf(name, new ConcurrentHashMap<>());
  }

  Board board(String board) {
    return boards.computeIfAbsent(
        board, added -> new Board(new ConcurrentSkipListMap<>(), new AtomicBoolean()));
  }

  void remove(String board) {
    Board removed = boards.remove(board);
    if (removed != null) {
      removed.dropped().set(true);
    }
  }
}
