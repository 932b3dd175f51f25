package dev.kvshift.legacy.server.internal.retention;

import dev.kvshift.api.Bytes;
import dev.kvshift.legacy.server.internal.commit.Table;
import dev.kvshift.legacy.server.internal.storage.Keys;
import dev.kvshift.legacy.server.internal.storage.Records;
import dev.kvshift.legacy.wire.MainKeyRows;
import dev.kvshift.legacy.wire.Messages;
import dev.kvshift.legacy.wire.PartitionRows;
import dev.kvshift.legacy.wire.RowCount;
import dev.kvshift.spi.StoreKey;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * A sweep over all rows of a collection in key order: its position and its counts. The rows of a
 * main key are adjacent, so the sums of each main key are exact, and only the {@value #LARGEST}
 * largest are kept in memory.
 */
final class Sweep {
  static final int LARGEST = 20;

  final long begunMillis;
  final long horizon;
  byte[] next;
  private final long[] keys;
  private final long[] bytes;
  private final long[] dead;
  private final List<MainKeyRows> mostEntries;
  private final List<MainKeyRows> mostBytes;
  private @Nullable Bytes main;
  private int partition;
  private long mainEntries;
  private long mainBytes;

  private Sweep(RowCount from, int partitions) {
    begunMillis = from.getBegunMillis();
    horizon = from.getHorizon();
    next = from.getNext().toByteArray();
    keys = new long[partitions];
    bytes = new long[partitions];
    dead = new long[partitions];
    for (int i = 0; i < from.getPartitionsCount(); i++) {
      keys[i] = from.getPartitions(i).getKeys();
      bytes[i] = from.getPartitions(i).getBytes();
      dead[i] = from.getPartitions(i).getDead();
    }
    mostEntries = new ArrayList<>(from.getMostEntriesList());
    mostBytes = new ArrayList<>(from.getMostBytesList());
    if (from.hasCurrent()) {
      main = Messages.bytes(from.getCurrent().getMain());
      partition = from.getCurrent().getPartition();
      mainEntries = from.getCurrent().getEntries();
      mainBytes = from.getCurrent().getBytes();
    }
  }

  static Sweep begin(Table table, int partitions, long nowMillis) {
    RowCount nothing =
        RowCount.newBuilder()
            .setBegunMillis(nowMillis)
            .setHorizon(table.publishedHorizon())
            .setNext(Messages.bytes(Bytes.of(Keys.partition(table.id(), 0))))
            .build();
    return new Sweep(nothing, partitions);
  }

  /** Resumes a sweep that was stored. */
  static Sweep resume(RowCount stored, int partitions) {
    return new Sweep(stored, partitions);
  }

  /** Counts the next row. Returns whether it is dead below the horizon. */
  boolean count(byte[] physical, byte[] stored, Instant now) {
    int in = Keys.partitionOf(physical);
    if (Records.isDead(stored, now)) {
      dead[in]++;
      return Records.isDeadBelow(stored, horizon, now);
    }
    StoreKey key = Keys.parse(physical);
    if (partition != in || !key.main().equals(main)) {
      leaveMain();
      main = key.main();
      partition = in;
    }
    long size = (long) key.main().size() + key.clustering().size() + Records.valueBytes(stored);
    keys[in]++;
    bytes[in] += size;
    mainEntries++;
    mainBytes += size;
    return false;
  }

  private void leaveMain() {
    keepLargest(mostEntries, MainKeyRows::getEntries, mainEntries);
    keepLargest(mostBytes, MainKeyRows::getBytes, mainBytes);
    main = null;
    mainEntries = 0;
    mainBytes = 0;
  }

  private void keepLargest(
      List<MainKeyRows> largest, ToLongFunction<MainKeyRows> size, long current) {
    int at = largest.size();
    while (at > 0 && size.applyAsLong(largest.get(at - 1)) < current) {
      at--;
    }
    MainKeyRows left = at == LARGEST ? null : current();
    if (left != null) {
      largest.add(at, left);
      if (largest.size() > LARGEST) {
        largest.remove(LARGEST);
      }
    }
  }

  private @Nullable MainKeyRows current() {
    Bytes key = main;
    return key == null
        ? null
        : MainKeyRows.newBuilder()
            .setMain(Messages.bytes(key))
            .setPartition(partition)
            .setEntries(mainEntries)
            .setBytes(mainBytes)
            .build();
  }

  /** Returns the record from which the sweep can be resumed. */
  RowCount toStore() {
    RowCount.Builder stored = sums().setNext(Messages.bytes(Bytes.of(next)));
    MainKeyRows in = current();
    if (in != null) {
      stored.setCurrent(in);
    }
    return stored.build();
  }

  /** Ends the sweep after the last row. */
  RowCount end(long nowMillis) {
    leaveMain();
    return sums().setEndedMillis(nowMillis).build();
  }

  private RowCount.Builder sums() {
    RowCount.Builder sums =
        RowCount.newBuilder()
            .setBegunMillis(begunMillis)
            .setHorizon(horizon)
            .addAllMostEntries(mostEntries)
            .addAllMostBytes(mostBytes);
    for (int i = 0; i < keys.length; i++) {
      sums.addPartitions(
          PartitionRows.newBuilder().setKeys(keys[i]).setBytes(bytes[i]).setDead(dead[i]));
    }
    return sums;
  }
}
