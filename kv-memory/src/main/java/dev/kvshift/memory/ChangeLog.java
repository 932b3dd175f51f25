package dev.kvshift.memory;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvException.InvalidArgument;
import dev.kvshift.spi.ChangeSource.Batch;
import dev.kvshift.spi.ChangeSource.Change;
import dev.kvshift.spi.ChangeSource.Data;
import dev.kvshift.spi.ChangeSource.Fenced;
import dev.kvshift.spi.ChangeSource.Lifted;
import dev.kvshift.spi.ChangeSource.Window;
import dev.kvshift.spi.Gate.Fence;
import dev.kvshift.spi.Row;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The last changes of one table, and the readers that wait for more. Guarded by its monitor. */
final class ChangeLog {
  static final int RETAINED = 100_000;
  private static final int MAX_READERS = 1_000;
  private static final int MAX_CONSUMERS = 64;
  private static final Duration UNFORESEEN = Duration.ofDays(36_500);
  private static final int MAX_CONSUMER_LENGTH = 128;
  private static final int CHANGE_OVERHEAD_BYTES = 24;

  private final String collection;
  private final String id = UUID.randomUUID().toString();
  private final Consumer<Runnable> effects;
  private final TreeMap<Long, Batch> records = new TreeMap<>();
  private final List<Reader> readers = new ArrayList<>();
  private final Map<String, Long> consumers = new HashMap<>();
  private long newest;

  private record Reader(Object owner, long after, int maxBytes, CompletableFuture<Batch> result) {}

  ChangeLog(String collection, Consumer<Runnable> effects) {
    this.collection = collection;
    this.effects = effects;
  }

  void append(Row row) {
    long position = newest + 1;
    add(Data.of(List.of(Change.of(position, row)), position));
  }

  Fence appendFence(String attempt, long version, Instant deadline) {
    Fence fence = Fence.of(attempt, version, newest + 1, deadline);
    add(Fenced.of(fence));
    return fence;
  }

  void appendLift(String attempt) {
    add(Lifted.of(attempt, newest + 1));
  }

  /** Returns the log's id, the same for all positions: a log in memory is never restored. */
  String id(long position) {
    if (position < 0 || position > newest) {
      throw new KvException.Permanent(
          "collection "
              + collection
              + " has no change at position "
              + position
              + ", its last one is at "
              + newest
              + ": its log is another one, copy the collection again");
    }
    return id;
  }

  Window window() {
    return Window.of(oldest(), newest);
  }

  /** Reads at once if there are changes, and otherwise waits for one. */
  CompletionStage<Batch> read(Object owner, long after, int maxBytes, Duration wait) {
    if (maxBytes < 1) {
      throw new InvalidArgument("a batch of " + maxBytes + " bytes: give 1 or more");
    }
    requireRetained(after);
    if (after < newest) {
      return CompletableFuture.completedFuture(batch(after, maxBytes));
    }
    if (wait.isNegative() || wait.isZero()) {
      return CompletableFuture.completedFuture(Data.of(List.of(), after));
    }
    readers.removeIf(reader -> reader.result.isDone());
    if (readers.size() == MAX_READERS) {
      throw new KvException.Overloaded(
          MAX_READERS + " readers already wait for changes of " + collection + ": try again");
    }
    CompletableFuture<Batch> result = new CompletableFuture<>();
    readers.add(new Reader(owner, after, maxBytes, result));
    result.completeOnTimeout(Data.of(List.of(), after), wait.toNanos(), TimeUnit.NANOSECONDS);
    return result.thenApplyAsync(batch -> batch);
  }

  /** Registers a consumer or moves it. The log counts changes, so it cannot predict a time. */
  Duration consumed(String consumer, long upTo) {
    if (consumer.isEmpty() || consumer.length() > MAX_CONSUMER_LENGTH) {
      throw new InvalidArgument(
          "a consumer's name of "
              + consumer.length()
              + " characters: give 1 to "
              + MAX_CONSUMER_LENGTH);
    }
    requireRetained(upTo);
    if (!consumers.containsKey(consumer) && consumers.size() == MAX_CONSUMERS) {
      throw new KvException.Permanent(
          "collection "
              + collection
              + " has "
              + MAX_CONSUMERS
              + " consumers already: forget one that is gone");
    }
    consumers.put(consumer, upTo);
    return UNFORESEEN;
  }

  @Nullable Void forgetConsumer(String consumer) {
    consumers.remove(consumer);
    return null;
  }

  /** Ends the waiting of one store's readers, or of all if the owner is this log. */
  void forget(Object owner) {
    for (Reader reader : List.copyOf(readers)) {
      if (owner == this || reader.owner == owner) {
        readers.remove(reader);
        effects.accept(
            () ->
                reader.result.completeExceptionally(
                    new KvException.Transient(
                        "the store was closed while its changes were read: open it again")));
      }
    }
  }

  private void requireRetained(long after) {
    if (after < 0 || after > newest) {
      throw new KvException.Permanent(
          "changes of collection "
              + collection
              + " after position "
              + after
              + ": the last one is "
              + newest);
    }
    if (after + 1 < oldest()) {
      throw new KvException.Permanent(
          "changes of collection "
              + collection
              + " after position "
              + after
              + " are no longer retained, the oldest is "
              + oldest()
              + ": copy the collection again");
    }
  }

  private void add(Batch batch) {
    newest = batch.position();
    records.put(newest, batch);
    if (records.size() > RETAINED) {
      records.pollFirstEntry();
    }
    for (Reader reader : readers) {
      Batch found = batch(reader.after, reader.maxBytes);
      effects.accept(() -> reader.result.complete(found));
    }
    readers.clear();
  }

  private long oldest() {
    return records.isEmpty() ? newest + 1 : records.firstKey();
  }

  private Batch batch(long after, int maxBytes) {
    List<Change> changes = new ArrayList<>();
    long bytes = 0;
    for (Batch record : records.tailMap(after, false).values()) {
      if (!(record instanceof Data data)) {
        if (changes.isEmpty()) {
          return record;
        }
        break;
      }
      Change change = data.changes().get(0);
      bytes += size(change.row());
      if (bytes > maxBytes && !changes.isEmpty()) {
        break;
      }
      changes.add(change);
    }
    return Data.of(changes, changes.get(changes.size() - 1).position());
  }

  private static int size(Row row) {
    Bytes value = row.value();
    return CHANGE_OVERHEAD_BYTES
        + row.key().main().size()
        + row.key().shard().size()
        + row.key().clustering().size()
        + (value == null ? 0 : value.size());
  }
}
