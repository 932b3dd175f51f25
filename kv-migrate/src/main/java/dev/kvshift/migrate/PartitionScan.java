package dev.kvshift.migrate;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.migrate.api.ScanRate;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.context.ScanThrottle;
import dev.kvshift.model.PartitionAdvisor;
import dev.kvshift.model.PartitionLimits;
import dev.kvshift.model.PartitionReport;
import dev.kvshift.model.ShardedStore;
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
 * Reads a range collection, or a sample of its main keys, and says how large its partitions become
 * under each shard rule.
 *
 * <p>Needs memory for the rules and for one page of the scan, whatever the collection's size. Reads
 * only; used by one thread. Waits for a store that does not answer for as long as its patience
 * lasts, and then fails with the store's error; it can be started again from the beginning.
 */
public final class PartitionScan {
  /** Enough tasks that one in a hundred is a fair choice, few enough that none is nearly empty. */
  private static final int TASKS_PER_SAMPLED = 8;

  private static final int MAX_TASKS = 1 << 16;

  private static final int PAGE_ROWS = 1_000;

  private final Store store;
  private final Duration patience;
  private final ScanThrottle throttle;

  /**
   * Scans with the store, which stays open.
   *
   * @param patience how long the store may fail to answer before the scan ends
   * @param rate how fast the scan may read
   */
  public PartitionScan(Store store, Duration patience, ScanRate rate) {
    this.store = store;
    this.patience = patience;
    this.throttle = new ScanThrottle(rate, PAGE_ROWS);
  }

  /**
   * What a scan gave.
   *
   * @param tasksRead how many of the collection's scan tasks were read, each a range of tokens
   * @param tasks how many there are
   */
  public record Result(PartitionReport report, int tasksRead, int tasks) {}

  /**
   * Scans a collection.
   *
   * @param sample reads one in so many of the scan's tasks, from 1, for all of them, to 8192: whole
   *     main keys, so that sizes are as they are and counts are those of the sample
   * @param rowsRead told after each page how many rows were read
   * @throws KvException.Permanent where it is a point collection, or the store's scan does not give
   *     main key by main key, or it holds nothing
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
              + " gave no entries: mend its name"
              + (sample == 1 ? "" : ", or give a lesser sample"));
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
      throttle.read(page);
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
              + " is a point collection: each entry is a partition of its own, and there is"
              + " nothing to advise");
    }
    if (store instanceof ShardedStore && !(layout.rule() instanceof ShardRule.None)) {
      throw new KvException.Permanent(
          "a scan of collection "
              + name
              + " of "
              + store.description()
              + " goes shard by shard, so that a main key's entries do not come together:"
              + " advise on the store that it came from");
    }
  }
}
