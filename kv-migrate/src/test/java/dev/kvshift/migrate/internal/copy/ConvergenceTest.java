package dev.kvshift.migrate.internal.copy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.embedded.KafkaBroker;
import dev.kvshift.memory.MemoryOptions;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.internal.apply.Quarantine;
import dev.kvshift.migrate.internal.apply.TargetWriter;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.context.RunContext;
import dev.kvshift.migrate.internal.context.SourceCollection;
import dev.kvshift.migrate.internal.context.TargetCollection;
import dev.kvshift.migrate.internal.context.WorkerPool;
import dev.kvshift.migrate.internal.ledger.CopyTaskGroup;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.QuarantinedKeys;
import dev.kvshift.migrate.internal.stream.Brokers;
import dev.kvshift.migrate.internal.stream.Topic;
import dev.kvshift.migrate.internal.task.HeldTask;
import dev.kvshift.migrate.internal.task.Holder;
import dev.kvshift.model.shard.ShardDirectory;
import dev.kvshift.model.shard.ShardedStore;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.testkit.meter.Figures;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * {@code ./check convergence}: random histories of a few keys, with expiries that run out on a
 * manual clock. The runner's own copier scans while they change, and is killed and started again;
 * its own writer applies the changes after S0 permuted, duplicated, cut short and replayed. In the
 * end both sides hold the same. {@code -Dkvshift.cases=N -Dkvshift.seed=S}; a failure names the
 * seed of its case, which {@code --cases 1 --seed S} repeats.
 */
final class ConvergenceTest {
  private static final int CASES = Integer.getInteger("kvshift.cases", 2_000);
  private static final long SEED = Long.getLong("kvshift.seed", System.nanoTime());
  private static final Layout LAYOUT = Layout.range(ShardRule.firstBits(4));
  private static final Instant BEGIN = Instant.parse("2026-01-01T00:00:00Z");
  private static final int READ_BYTES = 1 << 20;

  private static final WorkerPool WORKERS = new WorkerPool("convergence");
  private static final Store LETTERS = MemoryStoreProvider.open("letters-" + UUID.randomUUID());
  private static @Nullable Quarantine quarantine;

  @BeforeAll
  static void openQuarantine() {
    Topic topic =
        new Topic(
            Brokers.plain(KafkaBroker.shared().bootstrapServers()),
            "convergence",
            1,
            1_000,
            Duration.ofSeconds(10));
    Ledger ledger =
        new Ledger(LETTERS.metadata(), "files", Duration.ofSeconds(10), Clock.systemUTC());
    quarantine = new Quarantine(topic, new QuarantinedKeys(ledger), 0);
  }

  @AfterAll
  static void close() {
    if (quarantine != null) {
      quarantine.close();
    }
    WORKERS.close();
    LETTERS.close();
  }

  @Test
  void target_anyHistoryAndOrder_endsEqualToTheSource() {
    System.out.println("seed " + SEED);
    long began = System.nanoTime();
    long mutations = 0;
    long applied = 0;
    long kills = 0;
    for (int number = 0; number < CASES; number++) {
      try (History history = new History(SEED + number)) {
        history.run();
        mutations += history.mutations;
        applied += history.applied;
        kills += history.kills;
      }
    }
    System.out.println(
        Figures.keep(
            "convergence",
            Map.of(
                "cases", CASES,
                "mutations", mutations,
                "applied", applied,
                "kills", kills,
                "millis", (System.nanoTime() - began) / 1_000_000)));
    if (CASES >= 100) {
      assertThat(kills).isPositive();
      assertThat(applied).isGreaterThan(mutations / 2);
    }
  }

  /** Ends a copy as a kill does: nothing more is written, and nothing is saved on purpose. */
  private static final class Killed extends Error {
    private static final long serialVersionUID = 1L;
  }

  /** A clock that stands still until it is moved. */
  private static final class ManualClock extends Clock {
    private Instant now = BEGIN;

    @Override
    public synchronized Instant instant() {
      return now;
    }

    synchronized void advance(long millis) {
      now = now.plusMillis(millis);
    }

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      throw new UnsupportedOperationException("always in UTC");
    }
  }

  /** One case. */
  private static final class History implements AutoCloseable {
    private final long seed;
    private final Random random;
    private final ManualClock clock = new ManualClock();
    private final List<StoreKey> keys = new ArrayList<>();
    private final Store source;
    private final Store target;
    private final StoreCollection from;
    private final TargetCollection to;
    private final RunContext context;
    private final TargetWriter writer;
    private final Ledger ledger;
    private final List<Row> log = new ArrayList<>();
    private long position;
    private int committed;
    private long mutations;
    private long applied;
    private long kills;

    History(long seed) {
      this.seed = seed;
      random = new Random(seed);
      String name = UUID.randomUUID().toString();
      MemoryOptions options = MemoryOptions.defaults().withClock(clock);
      source = MemoryStoreProvider.open("source-" + name, options);
      target =
          new ShardedStore(
              MemoryStoreProvider.open(
                  "target-" + name,
                  options.without(
                      Capability.LARGE_MAIN_KEYS,
                      Capability.TOMBSTONE_READS,
                      Capability.CHANGE_SOURCE,
                      Capability.GATE,
                      Capability.FENCING,
                      Capability.LOCKS)));
      from = Await.of(source.open("files", LAYOUT, Claim.ACTIVE));
      StoreCollection opened =
          Await.of(target.open("files", LAYOUT, Claim.importing(Copy.draw("log"))));
      to =
          new TargetCollection(
              target, opened, Await.of(ShardDirectory.find(target, "files", LAYOUT)));
      context =
          new RunContext(
              "files",
              LAYOUT,
              new SourceCollection(source, from, 0),
              to,
              MigrationOptions.builder().pageRows(1 + random.nextInt(3)).build(),
              clock,
              WORKERS);
      writer = new TargetWriter(context, Objects.requireNonNull(quarantine));
      ledger = new Ledger(target.metadata(), "files", Duration.ofSeconds(10), clock);
      int count = 1 + random.nextInt(8);
      for (int i = 0; i < count; i++) {
        keys.add(
            StoreKey.of(
                Bytes.utf8(random.nextBoolean() ? "a" : "b"),
                Bytes.of((byte) 3, (byte) (i << 5), (byte) i)));
      }
    }

    void run() {
      repeat(random.nextInt(20), this::mutate);
      position = Await.of(from.changes().window()).newest();
      repeat(random.nextInt(5), this::act);
      copy();
      repeat(random.nextInt(20), this::act);
      readLog();
      writer.writeNewest(log.subList(committed, log.size()));
      clock.advance(random.nextInt(6_000));
      for (StoreKey key : keys) {
        assertThat(live(Await.of(to.get(key))))
            .as("%s of the case with seed %d", key, seed)
            .isEqualTo(live(Await.of(from.get(key, call()))));
      }
    }

    private @Nullable Row live(@Nullable Row row) {
      return row == null || row.at(clock.instant()).isTombstone() ? null : row;
    }

    private static void repeat(int times, Runnable action) {
      for (int i = 0; i < times; i++) {
        action.run();
      }
    }

    /** Something that happens beside the copy. */
    private void act() {
      switch (random.nextInt(4)) {
        case 0, 1 -> mutate();
        case 2 -> applySome();
        default -> clock.advance(random.nextInt(1_500));
      }
    }

    private void mutate() {
      StoreKey key = keys.get(random.nextInt(keys.size()));
      Mutation mutation = Mutation.delete();
      if (random.nextInt(4) > 0) {
        mutation = Mutation.put(Bytes.utf8("value-" + mutations));
        if (random.nextInt(5) < 2) {
          mutation = mutation.withExpiry(clock.instant().plusMillis(1 + random.nextInt(5_000)));
        }
      }
      Await.of(from.write(key, mutation, call()));
      mutations++;
    }

    /** Copies by attempts, each of which is killed, or ends the copy. */
    private void copy() {
      CopyTasks tasks =
          CopyTasks.plan(ledger, Await.of(from.scanTasks(1 + random.nextInt(3), call())));
      for (int part = 0; part < tasks.parts(); part++) {
        HeldTask.Task<CopyTaskGroup> task = tasks.task("files", part);
        CopyTaskGroup found = ledger.require(task.key());
        while (!found.isDone()) {
          HeldTask<CopyTaskGroup> held =
              HeldTask.take(ledger, task, found, Holder.ofProcess(Holder.DEFAULT_LEASE));
          try {
            new PartCopier(context, ledger, writer)
                .copy(Objects.requireNonNull(held), this::actOrDie, rows -> {});
          } catch (Killed e) {
            kills++;
          }
          found = ledger.require(task.key());
        }
      }
    }

    private void actOrDie() {
      repeat(random.nextInt(3), this::act);
      if (random.nextInt(8) == 0) {
        throw new Killed();
      }
    }

    private void readLog() {
      long newest = Await.of(from.changes().window()).newest();
      while (position < newest) {
        ChangeSource.Batch batch =
            Await.of(from.changes().read(position, READ_BYTES, Duration.ZERO));
        if (batch instanceof ChangeSource.Data data) {
          data.changes().forEach(change -> log.add(change.row()));
          position = data.position();
        }
      }
    }

    /** Applies a batch: shuffled, with duplicates of it and of older ones, perhaps cut short. */
    private void applySome() {
      readLog();
      int size = random.nextInt(log.size() - committed + 1);
      List<Row> batch = new ArrayList<>(log.subList(committed, committed + size));
      repeat(
          log.isEmpty() ? 0 : random.nextInt(4),
          () -> batch.add(log.get(random.nextInt(committed + size == 0 ? 1 : committed + size))));
      Collections.shuffle(batch, random);
      boolean isCut = random.nextInt(4) == 0;
      List<Row> reached = isCut ? batch.subList(0, random.nextInt(batch.size() + 1)) : batch;
      writer.writeNewest(reached);
      applied += reached.size();
      if (!isCut && random.nextInt(5) > 0) {
        committed += size;
      }
    }

    private static Call call() {
      return Call.within(Duration.ofSeconds(10));
    }

    @Override
    public void close() {
      source.close();
      target.close();
    }
  }
}
