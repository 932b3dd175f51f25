package dev.kvshift.migrate;

import com.google.gson.JsonObject;
import dev.kvshift.api.KvException;
import dev.kvshift.api.PageLimit;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Copies the source's rows to the target, each with its own version and expiry. Cut into tasks,
 * each of which keeps in the ledger how far it has come, with its accounting.
 */
final class Copier {
  private static final Duration SAVE_EVERY = Duration.ofSeconds(1);

  private final SourceView source;
  private final TargetWriter writer;
  private final Ledger ledger;
  private final MigrationOptions options;
  private final Clock clock;
  private final Workers workers;
  private final Pace pace;
  private final AtomicLong rejected = new AtomicLong();
  private final AtomicLong rows = new AtomicLong();
  private final AtomicInteger tasksDone = new AtomicInteger();

  Copier(
      SourceView source,
      TargetWriter writer,
      Ledger ledger,
      MigrationOptions options,
      Clock clock,
      Workers workers,
      Pace pace) {
    this.source = source;
    this.writer = writer;
    this.ledger = ledger;
    this.options = options;
    this.clock = clock;
    this.workers = workers;
    this.pace = pace;
  }

  /** Copies what is not copied yet; {@code check} throws where it makes no sense to go on. */
  CopyReport run(Runnable check) {
    long begun = System.nanoTime();
    List<String> names = plan();
    List<String> open = new ArrayList<>();
    for (String name : names) {
      CopyTask task = CopyTask.parse(ledger.require(name));
      rejected.addAndGet(task.counts().rejected());
      rows.addAndGet(task.counts().read());
      if (task.done()) {
        tasksDone.incrementAndGet();
      } else {
        open.add(name);
      }
    }
    boolean nothingLeft = open.isEmpty();
    workers.forEach(open, options.copyWorkers(), name -> copy(name, names.size(), check));
    CopyReport report =
        Reports.copy(ledger)
            .in(nothingLeft ? Duration.ZERO : Duration.ofNanos(System.nanoTime() - begun));
    if (report.residue() != 0) {
      throw new MigrationException.TooManyErrors(
          "the copy has read "
              + report.read()
              + " rows and cannot account for "
              + report.residue()
              + ": report this");
    }
    return report;
  }

  private List<String> plan() {
    JsonObject plan = ledger.get(Ledger.COPY);
    if (plan == null) {
      List<ScanTask> tasks =
          Await.patiently(options.patience(), () -> source.scanTasks(options.copyTasks()));
      for (int i = 0; i < tasks.size(); i++) {
        ledger.put(name(i), CopyTask.of(tasks.get(i)).print());
      }
      JsonObject made = new JsonObject();
      made.addProperty("tasks", tasks.size());
      plan = ledger.putIfAbsent(Ledger.COPY, made);
    }
    return names(plan.get("tasks").getAsInt());
  }

  private static List<String> names(int count) {
    List<String> names = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      names.add(name(i));
    }
    return names;
  }

  private static String name(int task) {
    return Ledger.COPY_TASK + String.format(Locale.ROOT, "%05d", task);
  }

  private void copy(String name, int taskCount, Runnable check) {
    CopyTask task = CopyTask.parse(ledger.require(name));
    CopyTask saved = task;
    long savedNanos = System.nanoTime();
    CompletionStage<ScanPage> prefetched = scan(task);
    while (!task.done()) {
      check.run();
      CopyTask from = task;
      CompletionStage<ScanPage> first = prefetched;
      ScanPage page = page(from, first);
      if (page.next() != null) {
        prefetched = scan(new CopyTask(from.range(), page.next(), false, from.counts()));
      }
      task = task.advance(page.next(), write(page.rows()));
      int done = task.done() ? tasksDone.incrementAndGet() : tasksDone.get();
      long read = rows.addAndGet(page.rows().size());
      pace.report(read, done == 0 ? -1 : read * taskCount / done);
      if (task.done() || System.nanoTime() - savedNanos >= SAVE_EVERY.toNanos()) {
        save(name, saved, task);
        saved = task;
        savedNanos = System.nanoTime();
      }
    }
  }

  private CompletionStage<ScanPage> scan(CopyTask from) {
    return source.scan(from.range(), from.position(), PageLimit.entries(options.pageRows()));
  }

  private ScanPage page(CopyTask from, CompletionStage<ScanPage> first) {
    boolean[] used = {false};
    return Await.patiently(
        options.patience(),
        () -> {
          if (used[0]) {
            return scan(from);
          }
          used[0] = true;
          return first;
        });
  }

  private CopyTask.Counts write(List<Row> page) {
    Instant now = clock.instant();
    long tombstones = 0;
    long expired = 0;
    long highest = 0;
    List<CompletableFuture<Boolean>> writes = new ArrayList<>(page.size());
    for (Row row : page) {
      highest = Math.max(highest, row.version());
      if (row.isTombstone()) {
        tombstones++;
      } else if (row.at(now).isTombstone()) {
        expired++;
      } else {
        writes.add(writer.write(row));
      }
    }
    long written = 0;
    long refused = 0;
    for (CompletableFuture<Boolean> write : writes) {
      if (Await.of(write)) {
        written++;
      } else {
        refused++;
      }
    }
    if (rejected.addAndGet(refused) > options.maxRejected()) {
      throw new MigrationException.TooManyErrors(
          "the target has rejected "
              + rejected.get()
              + " rows, more than "
              + options.maxRejected()
              + ": read the reasons in the quarantine, and start the run again");
    }
    return new CopyTask.Counts(page.size(), written, tombstones, expired, refused, highest);
  }

  private void save(String name, CopyTask before, CopyTask now) {
    JsonObject expected = before.print();
    JsonObject next = now.print();
    JsonObject kept =
        ledger.update(name, found -> found != null && found.equals(expected) ? next : found);
    if (!kept.equals(next)) {
      throw new KvException.Transient(
          "another runner copies the same collection: let one of them go on alone");
    }
  }
}
