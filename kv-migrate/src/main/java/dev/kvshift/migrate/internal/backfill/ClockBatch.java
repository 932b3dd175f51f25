package dev.kvshift.migrate.internal.backfill;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.migrate.api.Difference;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.internal.context.MainKey;
import dev.kvshift.migrate.internal.context.ScanThrottle;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.transition.BackFilledKeys;
import dev.kvshift.transition.Merge;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Main keys of a source without a leader: the newest row of each key wins, deletes too, and the
 * side that has less gets it, as in a pass over all keys. Each row that was written is read back.
 */
final class ClockBatch extends KeyBatch {
  private static final Duration REQUEST = Duration.ofSeconds(30);

  private final StoreCollection old;
  private final StoreCollection fresh;
  private final ScanThrottle throttle;
  private final @Nullable Marks marks;

  /** The marks that services follow, and the epoch for which they count. */
  record Marks(BackFilledKeys keys, long epoch) {}

  ClockBatch(
      StoreCollection old,
      StoreCollection fresh,
      MigrationOptions options,
      ScanThrottle throttle,
      @Nullable Marks marks) {
    super(options, throttle);
    this.old = old;
    this.fresh = fresh;
    this.throttle = throttle;
    this.marks = marks;
  }

  @Override
  CompletionStage<RowPage> old(Bytes main, Range range, PageLimit limit) {
    return MainKey.page(old, main, range, limit, call());
  }

  @Override
  CompletionStage<RowPage> fresh(Bytes main, Range range, PageLimit limit) {
    return MainKey.page(fresh, main, range, limit, call());
  }

  @Override
  void bring(Merge<RowPage> merged, RowPage page) {
    write(old, merged.toOld());
    write(fresh, merged.toNew());
    count(merged.toNew().size(), merged.toOld().size(), 0);
  }

  @Override
  void compare() {}

  @Override
  void proved(List<Bytes> mains) {
    if (marks != null) {
      await(
          () ->
              CompletableFuture.allOf(
                  mains.stream()
                      .map(main -> marks.keys.add(main, marks.epoch, call()).toCompletableFuture())
                      .toArray(CompletableFuture<?>[]::new)));
    }
  }

  private void write(StoreCollection side, List<Row> rows) {
    await(() -> all(rows, row -> side.write(row.key(), row.toMutation(), call())));
    List<@Nullable Row> found = await(() -> all(rows, row -> side.get(row.key(), call())));
    for (int i = 0; i < rows.size(); i++) {
      judge(rows.get(i), found.get(i));
    }
  }

  /** Sends a request for each row, all at once: a page has no more than may be in flight. */
  private <T extends @Nullable Object> CompletionStage<List<T>> all(
      List<Row> rows, Function<Row, CompletionStage<T>> request) {
    List<CompletableFuture<T>> sent =
        rows.stream()
            .map(row -> throttle.timed(() -> request.apply(row)).toCompletableFuture())
            .toList();
    return CompletableFuture.allOf(sent.toArray(CompletableFuture<?>[]::new))
        .thenApply(
            done -> {
              List<T> answers = new ArrayList<>(sent.size());
              sent.forEach(answer -> answers.add(answer.join()));
              return answers;
            });
  }

  /** A row is there once the side shows it, or a newer one, or it has expired meanwhile. */
  private void judge(Row written, @Nullable Row found) {
    boolean isThere = found != null && Row.PRECEDENCE.compare(found, written) >= 0;
    Instant expiry = written.expiry();
    boolean hasExpired = expiry != null && !expiry.isAfter(Instant.now());
    if (!isThere && !hasExpired) {
      differs(
          new Difference(
              written.key(),
              found == null ? Difference.Kind.MISSING : Difference.Kind.DIFFERENT,
              OptionalLong.of(written.version()),
              found == null ? OptionalLong.empty() : OptionalLong.of(found.version())));
    }
  }

  private static Call call() {
    return Call.within(REQUEST);
  }
}
