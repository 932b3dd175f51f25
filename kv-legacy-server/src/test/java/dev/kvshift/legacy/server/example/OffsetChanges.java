package dev.kvshift.legacy.server.example;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.legacy.server.example.OldLog.OldEntry;
import dev.kvshift.spi.ChangeSource;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

/** The changes of a log whose offsets are not dense, at positions that are. */
final class OffsetChanges implements ChangeSource {
  private static final int CHECKPOINT_EVERY = 1_000;
  private static final int ENTRIES = 500;

  private final OldLog log;
  private final Positions positions;

  OffsetChanges(OldLog log, Positions positions) {
    this.log = log;
    this.positions = positions;
  }

  @Override
  public CompletionStage<Batch> read(long after, int maxBytes, Duration wait) {
    CompletableFuture<Batch> result = new CompletableFuture<>();
    attempt(after, maxBytes, result);
    return result.completeOnTimeout(
        Data.of(List.of(), after), wait.toNanos(), TimeUnit.NANOSECONDS);
  }

  private void attempt(long after, int maxBytes, CompletableFuture<Batch> result) {
    try {
      long offset = offsetOf(after);
      Data data = batch(after, offset, maxBytes);
      if (data.changes().isEmpty()) {
        log.onAdded(offset, () -> attempt(after, maxBytes, result));
      } else {
        result.complete(data);
      }
    } catch (KvException e) {
      result.completeExceptionally(e);
    }
  }

  private Data batch(long after, long offset, int maxBytes) {
    List<Change> changes = new ArrayList<>();
    long position = after;
    long bytes = 0;
    for (OldEntry entry : log.after(offset, ENTRIES)) {
      Bytes value = entry.row().value();
      bytes += entry.row().key().main().size() + (value == null ? 0 : value.size());
      if (!changes.isEmpty() && bytes > maxBytes) {
        break;
      }
      changes.add(Change.of(++position, entry.row()));
      if (position % CHECKPOINT_EVERY == 0) {
        positions.add(position, entry.offset());
      }
    }
    return Data.of(changes, position);
  }

  /** Returns the offset of a position, counted from the nearest known one. */
  private long offsetOf(long wanted) {
    Map.Entry<Long, Long> known = wanted < 0 ? null : positions.below(wanted);
    if (known == null) {
      throw new KvException.Permanent("there is no position " + wanted);
    }
    long position = known.getKey();
    long offset = known.getValue();
    requireRetained(wanted, offset);
    while (position < wanted) {
      List<OldEntry> entries = log.after(offset, (int) Math.min(ENTRIES, wanted - position));
      if (entries.isEmpty()) {
        throw new KvException.Permanent(
            "there is no position " + wanted + ", the newest is " + position);
      }
      position += entries.size();
      offset = entries.get(entries.size() - 1).offset();
    }
    return offset;
  }

  private void requireRetained(long position, long offset) {
    if (offset < log.droppedOffset()) {
      throw new KvException.Permanent(
          "changes after position "
              + position
              + " are no longer retained: copy the collection again, then continue from there");
    }
  }

  /** The old log has no id of its own, so the change at a position identifies its history. */
  @Override
  public CompletionStage<String> logId(long position) {
    try {
      String id = "old-log";
      if (position != 0) {
        OldEntry entry = log.after(offsetOf(position - 1), 1).get(0);
        id += "-" + entry.offset() + "-" + Integer.toHexString(entry.row().hashCode());
      }
      return CompletableFuture.completedFuture(id);
    } catch (KvException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  @Override
  public CompletionStage<Window> window() {
    long oldest = 1;
    for (Map.Entry<Long, Long> known = positions.below(Long.MAX_VALUE);
        known != null;
        known = positions.below(known.getKey() - 1)) {
      if (known.getValue() < log.droppedOffset()) {
        break;
      }
      oldest = known.getKey() + 1;
    }
    Map.Entry<Long, Long> last = positions.below(Long.MAX_VALUE);
    long newest = last.getKey();
    long offset = last.getValue();
    for (List<OldEntry> more = log.after(offset, ENTRIES);
        !more.isEmpty();
        more = log.after(offset, ENTRIES)) {
      newest += more.size();
      offset = more.get(more.size() - 1).offset();
    }
    return CompletableFuture.completedFuture(Window.of(oldest, newest));
  }
}
