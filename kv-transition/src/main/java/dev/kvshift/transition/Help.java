package dev.kvshift.transition;

import dev.kvshift.api.KvException;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Row;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Writes an answer of the old side to the new one before it is returned, if the new side may not
 * have it yet. Otherwise a later read from the new side could miss what was already returned. Safe
 * for use by many threads.
 */
final class Help {
  /** Maximum number of rows of one answer that are in flight at once. */
  private static final int AT_ONCE = 64;

  private final String name;
  private final NewSide newSide;
  private final NewWrites writes;
  private final Events events;

  Help(String name, NewSide newSide, NewWrites writes, Events events) {
    this.name = name;
    this.newSide = newSide;
    this.writes = writes;
    this.events = events;
  }

  /**
   * Writes rows, values and tombstones, at their versions.
   *
   * @param rows the rows of the answer
   * @param missed whether the new side was asked for them before and had nothing
   * @param applied W: the new side has every version up to it
   * @return a stage that ends once the new side has acknowledged them, or fails with {@code
   *     Transient}
   */
  CompletionStage<Void> give(List<Row> rows, boolean missed, long applied, Call call) {
    List<Row> needed = new ArrayList<>();
    for (Row row : rows) {
      if (row.version() > applied) {
        needed.add(row);
      } else if (missed && !row.isTombstone()) {
        newSide.counter().missHit();
        events.missHit(name);
        needed.add(row);
      }
    }
    return giveFrom(needed, 0, call);
  }

  private CompletionStage<Void> giveFrom(List<Row> rows, int from, Call call) {
    if (from >= rows.size()) {
      return CompletableFuture.completedFuture(null);
    }
    int to = Math.min(from + AT_ONCE, rows.size());
    CompletableFuture<?>[] given =
        rows.subList(from, to).stream()
            .map(row -> give(row, call).toCompletableFuture())
            .toArray(CompletableFuture<?>[]::new);
    return CompletableFuture.allOf(given).thenCompose(done -> giveFrom(rows, to, call));
  }

  private CompletionStage<?> give(Row row, Call call) {
    return newSide
        .store(0, call)
        .thenCompose(
            store -> {
              try {
                store.check(row.key(), row.toMutation());
              } catch (KvException.InvalidArgument neverFits) {
                newSide.counter().failed();
                return CompletableFuture.completedFuture(row.version());
              }
              return writes.write(0, row.key(), row.toMutation(), call);
            })
        .whenComplete(
            (version, error) -> {
              if (error == null) {
                events.helped(name);
              }
            })
        .exceptionallyCompose(
            error ->
                CompletableFuture.failedFuture(
                    new KvException.Transient(
                        "collection "
                            + name
                            + ": what the old side shows could not be written to the new one: try"
                            + " again",
                        Futures.writeFailure(error))));
  }
}
