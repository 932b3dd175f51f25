package dev.kvshift.migrate;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.migrate.api.ScanRate;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.context.ScanThrottle;
import dev.kvshift.model.advise.PartitionAdvisor;
import dev.kvshift.model.advise.PartitionLimits;
import dev.kvshift.model.advise.PartitionReport;
import dev.kvshift.model.shard.ShardedStore;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import java.time.Duration;
import java.util.List;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A scan of a range collection, or of a sample of its main keys, that predicts the size of its
 * partitions under each shard rule. Reads only.
 *
 * <p>Not safe for use by several threads. Memory is bounded by the number of rules and one page of
 * the scan. Fails with the store's error if the store does not answer for as long as the patience;
 * the scan can then be started again from the beginning.
 */
public final class PartitionScan {
  /** Enough for a fair sample of one in a hundred, few enough that no task is nearly empty. */
  private static final int TASKS_PER_SAMPLED = 8;

  private static final int MAX_TASKS = 1 << 16;

  private static final int PAGE_ROWS = 1_000;

  private final Store store;
  private final Duration patience;
  private final ScanThrottle throttle;

  /**
   * Creates a scan of the store, which stays open.
   *
   * @param store the store that holds the collection
   * @param patience how long the store may fail to answer before the scan ends
   * @param rate the rate at which the scan may read
   */
  public PartitionScan(Store store, Duration patience, ScanRate rate) {
    this.store = store;
    this.patience = patience;
    this.throttle = new ScanThrottle(rate, PAGE_ROWS);
  }

  /**
   * The result of a scan.
   *
   * @param report the predictions
   * @param tasksRead number of scan tasks that were read; a task is a range of tokens
   * @param tasks number of scan tasks of the collection
   */
  public record Result(PartitionReport report, int tasksRead, int tasks) {}

  /**
   * Scans a collection.
   *
   * @param name the collection's name
   * @param layout the collection's layout
   * @param limits the limits that partitions should keep
   * @param sample n to read one in n of the scan's tasks, 1 to 8192. A task holds whole main keys,
   *     so sizes are exact and counts are those of the sample.
   * @param rowsRead receives the number of rows read, after each page
   * @throws KvException.Permanent if it is a point collection, if the store does not scan main key
   *     by main key, or if nothing was found
   */
  public Result run(
      String name, Layout layout, PartitionLimits limits, int sample, LongConsumer rowsRead) {
    requireGrouped(name, layout);
    if (sample < 1 || sample > MAX_TASKS / TASKS_PER_SAMPLED) {
      throw new KvException.Permanent(
          "a sample of one in " + sample + ": give 1 to " + MAX_TASKS / TASKS_PER_SAMPLED);
    }
    StoreCollection collection =
        Await.patiently(patience, () -> store.open(name, layout, Claim.NONE));
    List<ScanTask> tasks =
        Await.patiently(
            patience,
            () -> collection.scanTasks(sample == 1 ? 1 : sample * TASKS_PER_SAMPLED, call()));
    PartitionAdvisor advisor = new PartitionAdvisor(name, layout.encoding(), limits);
    long rows = 0;
    int read = 0;
    for (int task = Math.min(sample / 2, tasks.size() - 1); task < tasks.size(); task += sample) {
      rows = scan(collection, tasks.get(task), advisor, rows, rowsRead);
      read++;
    }
    PartitionReport report = advisor.report();
    if (report.entries() == 0) {
      throw new KvException.Permanent(
          "collection "
              + name
              + " of "
              + store.description()
              + " has no entries: check its name"
              + (sample == 1 ? "" : ", or give a smaller sample"));
    }
    return new Result(report, read, tasks.size());
  }

  private long scan(
      StoreCollection collection,
      ScanTask task,
      PartitionAdvisor advisor,
      long rowsBefore,
      LongConsumer rowsRead) {
    long rows = rowsBefore;
    Bytes position = null;
    do {
      ScanPage page = page(collection, task, position);
      throttle.acquire(page);
      for (Row row : page.rows()) {
        Bytes value = row.value();
        if (value != null) {
          advisor.add(row.key().main(), row.key().clustering(), value.size());
        }
      }
      rows += page.rows().size();
      rowsRead.accept(rows);
      position = page.next();
    } while (position != null);
    return rows;
  }

  private ScanPage page(StoreCollection collection, ScanTask task, @Nullable Bytes position) {
    return Await.patiently(
        patience, () -> collection.scan(task, position, throttle.page(), call()));
  }

  private Call call() {
    return Call.within(store.limits().timeout());
  }

  private void requireGrouped(String name, Layout layout) {
    if (layout.shape() == Layout.Shape.POINT) {
      throw new KvException.Permanent(
          "collection "
              + name
              + " is a point collection: each of its entries is a partition of its own, so there"
              + " is nothing to advise");
    }
    boolean isSharded = store instanceof ShardedStore || store.mapping(name) != null;
    if (isSharded && !(layout.rule() instanceof ShardRule.None)) {
      throw new KvException.Permanent(
          "a scan of collection "
              + name
              + " of "
              + store.description()
              + " goes shard by shard, so the entries of a main key are not adjacent: advise"
              + " on the store that the collection came from");
    }
  }
}
