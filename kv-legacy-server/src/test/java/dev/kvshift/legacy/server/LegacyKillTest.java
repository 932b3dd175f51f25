package dev.kvshift.legacy.server;

import static dev.kvshift.legacy.server.Stores.await;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.ShardRule;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.testkit.concurrent.Await;
import dev.kvshift.testkit.meter.Figures;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Kills the server with −9 under load, again and again. {@code -Dlegacy.kill.times=N
 * -Dlegacy.kill.seed=S} make it longer; {@code -Dkvshift.figures=FOLDER} keeps its figures.
 */
class LegacyKillTest {
  private static final int TIMES = Integer.getInteger("legacy.kill.times", 4);
  private static final long SEED = Long.getLong("legacy.kill.seed", System.nanoTime());
  private static final int WRITERS = 32;
  private static final int KEYS_PER_WRITER = 20;
  private static final int PARTITIONS = 8;

  @TempDir Path directory;
  private final Map<StoreKey, Journal> journals = new ConcurrentHashMap<>();
  private final List<ChangeSource.Change> log = new ArrayList<>();
  private final AtomicLong acknowledged = new AtomicLong();
  private final AtomicLong unknown = new AtomicLong();
  private final AtomicLong refused = new AtomicLong();
  private volatile boolean writing;

  @Test
  void kill_underLoad_losesNothingAcknowledged() throws Exception {
    System.out.println("legacy.kill.seed=" + SEED + " legacy.kill.times=" + TIMES);
    Random random = new Random(SEED);
    ServerProcess server = ServerProcess.start(directory, PARTITIONS, 0);
    int port = server.port();
    try (Store store = Stores.open("legacy://" + server.address() + "?timeout=20s")) {
      StoreCollection collection =
          await(store.open("files", Layout.range(ShardRule.none()), Claim.ACTIVE));
      for (int round = 0; round < TIMES; round++) {
        List<Thread> writers = startWriters(collection, random);
        awaitWrites(20 + random.nextInt(3_000));
        server.kill();
        server = ServerProcess.start(directory, PARTITIONS, port);
        awaitWrites(1 + random.nextInt(200));
        writing = false;
        for (Thread writer : writers) {
          writer.join();
        }
        checkLog(collection);
        checkRows(collection);
      }
      checkLogAgain(collection);
    } finally {
      server.close();
    }
    assertThat(acknowledged.get()).isPositive();
    report();
  }

  /** Reached only where every check held: then nothing that was acknowledged is lost. */
  private void report() {
    System.out.printf(
        "seed %d: %d kills, %d writes acknowledged, 0 lost, %d of unknown outcome, %d refused,"
            + " %d changes%n",
        SEED, TIMES, acknowledged.get(), unknown.get(), refused.get(), log.size());
    Map<String, Number> figures = new LinkedHashMap<>();
    figures.put("seed", SEED);
    figures.put("kills", TIMES);
    figures.put("acknowledged", acknowledged.get());
    figures.put("lost", 0);
    figures.put("unknown", unknown.get());
    figures.put("refused", refused.get());
    figures.put("changes", log.size());
    Figures.keep("legacy-kill", figures);
  }

  private void awaitWrites(int more) {
    long until = acknowledged.get() + more;
    Await.until(more + " more writes", () -> acknowledged.get() >= until);
  }

  private List<Thread> startWriters(StoreCollection collection, Random random) {
    writing = true;
    List<Thread> writers = new ArrayList<>();
    for (int i = 0; i < WRITERS; i++) {
      int number = i;
      long seed = random.nextLong();
      Thread writer = new Thread(() -> write(collection, number, new Random(seed)));
      writer.start();
      writers.add(writer);
    }
    return writers;
  }

  private void write(StoreCollection collection, int writer, Random random) {
    while (writing) {
      int number = random.nextInt(KEYS_PER_WRITER);
      StoreKey key = StoreKey.of(Bytes.utf8("main" + number), Bytes.utf8("w" + writer));
      Journal journal = journals.computeIfAbsent(key, unseen -> new Journal());
      Bytes value = random.nextInt(10) == 0 ? null : Bytes.utf8(writer + "/" + random.nextLong());
      Mutation mutation = value == null ? Mutation.delete() : Mutation.put(value);
      try {
        Call call = Call.within(Duration.ofSeconds(20));
        journal.acknowledge(value, await(collection.write(key, mutation, call)));
        acknowledged.incrementAndGet();
      } catch (KvException.UnknownOutcome e) {
        journal.unknown(value);
        unknown.incrementAndGet();
      } catch (KvException.Transient e) {
        refused.incrementAndGet();
      }
    }
  }

  private void checkLog(StoreCollection collection) {
    List<ChangeSource.Change> added = read(collection, log.size());
    long version = log.isEmpty() ? 0 : log.get(log.size() - 1).row().version();
    for (ChangeSource.Change change : added) {
      assertThat(change.position()).isEqualTo(log.size() + 1);
      assertThat(change.row().version()).isGreaterThan(version);
      version = change.row().version();
      log.add(change);
    }
    Map<StoreKey, Map<Long, Row>> byVersion = new HashMap<>();
    for (ChangeSource.Change change : log) {
      Row row = change.row();
      byVersion.computeIfAbsent(row.key(), key -> new HashMap<>()).put(row.version(), row);
    }
    journals.forEach(
        (key, journal) -> {
          for (Journal.Attempt write : journal.allAcknowledged()) {
            Row logged = byVersion.getOrDefault(key, Map.of()).get(write.version());
            assertThat(logged).as("change of %s at %s", key, write.version()).isNotNull();
            assertThat(logged.value()).isEqualTo(write.value());
          }
        });
  }

  private void checkRows(StoreCollection collection) {
    Map<StoreKey, Row> latest = new HashMap<>();
    log.forEach(change -> latest.put(change.row().key(), change.row()));
    Map<StoreKey, Row> scanned = new HashMap<>();
    Call call = Call.within(Duration.ofSeconds(20));
    for (ScanTask task : await(collection.scanTasks(1, call))) {
      Bytes position = null;
      do {
        ScanPage page = await(collection.scan(task, position, PageLimit.entries(100), call));
        page.rows().forEach(row -> scanned.put(row.key(), row));
        position = page.next();
      } while (position != null);
    }
    assertThat(scanned).isEqualTo(latest);
    journals.forEach(
        (key, journal) -> {
          Row row = await(collection.get(key, call));
          assertThat(row).isEqualTo(latest.get(key));
          assertThat(journal.check(row)).as("key %s", key).isNull();
        });
  }

  private void checkLogAgain(StoreCollection collection) {
    assertThat(read(collection, 0)).isEqualTo(log);
  }

  private static List<ChangeSource.Change> read(StoreCollection collection, long after) {
    List<ChangeSource.Change> changes = new ArrayList<>();
    long position = after;
    long newest = await(collection.changes().window()).newest();
    while (position < newest) {
      ChangeSource.Batch batch =
          await(collection.changes().read(position, 64 << 10, Duration.ofSeconds(1)));
      changes.addAll(((ChangeSource.Data) batch).changes());
      position = batch.position();
    }
    return changes;
  }
}
