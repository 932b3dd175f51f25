package dev.kvshift.scylla.internal.scan;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Layout.Shape;
import dev.kvshift.api.PageLimit;
import dev.kvshift.scylla.internal.read.Narrowing;
import dev.kvshift.scylla.internal.read.RowReader;
import dev.kvshift.scylla.internal.schema.CollectionStatements;
import dev.kvshift.scylla.internal.session.Requests;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Reads a collection in the order of its tokens. A page ends after a token, or inside a partition
 * at a clustering key, but never between two partitions of one token: their order is the server's,
 * and no statement can resume there.
 *
 * <p>If a server refuses a read, because it meets too many deleted or expired rows or takes too
 * long, the scan continues in narrower parts: of the token range ({@link TokenWalk}), of a
 * partition ({@link PartitionWalk}), and of a token whose partitions are unknown ({@link
 * CrowdedToken}).
 */
public final class Scanner {
  static final int MAX_TASKS = 1 << 16;
  private static final int TASKS_PER_NODE = 64;

  private final ScanRows.Shared shared;

  public Scanner(
      String collection,
      Shape shape,
      CollectionStatements statements,
      Requests requests,
      RowReader reader) {
    shared =
        new ScanRows.Shared(collection, shape, statements, requests, reader, new Narrowing<>());
  }

  /** Divides the tokens into equal ranges. */
  public static List<ScanTask> tasks(int atLeast, int nodes) {
    int count = Math.min(MAX_TASKS, Math.max(Math.max(1, atLeast), nodes * TASKS_PER_NODE));
    long step = Long.divideUnsigned(-1L, count);
    List<ScanTask> tasks = new ArrayList<>(count);
    long after = Long.MIN_VALUE;
    for (int i = 1; i <= count; i++) {
      long upTo = i == count ? Long.MAX_VALUE : Long.MIN_VALUE + step * i;
      tasks.add(ScanTask.of(after, upTo));
      after = upTo;
    }
    return List.copyOf(tasks);
  }

  public CompletionStage<ScanPage> read(
      ScanTask task, @Nullable Bytes position, PageLimit limit, Call call) {
    ScanPosition from =
        position == null ? new ScanPosition.Behind(task.after()) : ScanPosition.parse(position);
    ScanRows rows = new ScanRows(shared, limit, call);
    if (from instanceof ScanPosition.Inside inside) {
      return new PartitionWalk(rows, inside).read();
    }
    if (from instanceof ScanPosition.Across across) {
      return new CrowdedToken(rows, across).read();
    }
    return from.token() >= task.upTo()
        ? CompletableFuture.completedFuture(ScanPage.of(List.of(), null))
        : new TokenWalk(rows, task).read(from.token());
  }
}
