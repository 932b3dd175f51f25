package dev.kvshift.migrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.embedded.KafkaBroker;
import dev.kvshift.migrate.api.CutoverReport;
import dev.kvshift.migrate.api.Difference;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.MigrationResult;
import dev.kvshift.migrate.api.MigrationStatus;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.api.ScanRate;
import dev.kvshift.migrate.api.Step;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.MigrationConfig;
import dev.kvshift.migrate.internal.stream.Brokers;
import dev.kvshift.migrate.internal.stream.Topic;
import dev.kvshift.migrate.internal.stream.TopicRecord;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreCollection;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;

final class MigrationTest {
  private static final long SEED = Long.getLong("kvshift.seed", 42);
  private static final Duration LONGEST = Duration.ofSeconds(60);

  @Test
  void run_underLiveWriter_movesEverything() {
    try (Sides sides = new Sides()) {
      assertMovesUnderLiveWriter(sides);
    }
  }

  @Test
  void run_toShardedTargetWithoutTombstones_movesEverything() {
    try (Sides sides = Sides.sharded()) {
      assertMovesUnderLiveWriter(sides);
    }
  }

  private static void assertMovesUnderLiveWriter(Sides sides) {
    sides.fill(5_000);
    List<ProgressListener.Event> events = Collections.synchronizedList(new ArrayList<>());
    MigrationResult result;
    try (LiveWriter writer = new LiveWriter(sides, 3, SEED);
        Migration migration = Migration.of(sides.plan(), events::add)) {
      result = migration.run();
      await(() -> writer.writesAfter() >= 500);
      writer.assertHolds();
    }
    assertThat(result.verify().differences()).isZero();
    assertThat(result.copy().counts().residue()).isZero();
    assertThat(result.copy().counts().read()).isGreaterThanOrEqualTo(5_000);
    assertThat(result.certificate()).contains("\"sha256\"");
    CollectionRecord record =
        Await.of(CollectionRecord.read(sides.target.metadata(), Sides.COLLECTION));
    assertThat(record)
        .isEqualTo(
            CollectionRecord.importing(sides.layout, sides.copy())
                .activated(result.cutover().floor())
                .withIncarnation(result.cutover().incarnation()));
    assertThat(events)
        .filteredOn(event -> event.state() == ProgressListener.State.ENDED)
        .extracting(ProgressListener.Event::step)
        .containsExactly(Step.PREPARE, Step.COPY, Step.APPLY, Step.VERIFY, Step.CUTOVER);
  }

  @Test
  void run_scanRowsPerSecond_copiesAndComparesNoFaster() {
    try (Sides sides = new Sides()) {
      sides.fill(1_000);
      MigrationPlan plan =
          sides.plan(
              KafkaBroker.shared(), Sides.options(Sides.PATIENT, ScanRate.rowsPerSecond(1_000)));
      try (Migration migration = Migration.of(plan, ProgressListener.NONE)) {
        MigrationResult result = migration.run();
        assertThat(result.copy().duration()).isGreaterThan(Duration.ofMillis(800));
        assertThat(result.verify().duration()).isGreaterThan(Duration.ofMillis(1_800));
      }
    }
  }

  @Test
  void run_sourceThatRegistersConsumers_isOneUntilTheMove() {
    int most = 64;
    try (Sides sides = new Sides();
        Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
      sides.fill(10);
      migration.start();
      for (int i = 1; i < most; i++) {
        Await.of(sides.from.changes().consumed("other-" + i, 0));
      }
      assertThatThrownBy(() -> Await.of(sides.from.changes().consumed("one too many", 0)))
          .isInstanceOf(KvException.Permanent.class);
      sides.fill(20);
      await(() -> streamedPosition(migration) == 30);
      sides.fill(10);
      await(() -> streamedPosition(migration) == 40);
      MigrationStatus.Stream stream = migration.status().stream();
      assertThat(stream).isNotNull();
      assertThat(stream.keptUntil()).isAfter(Instant.now());

      migration.run();

      Await.of(sides.from.changes().consumed("one too many", 0));
    }
  }

  @Test
  void catchUp_copied_opensTheTargetToReaders() {
    try (Sides sides = new Sides();
        Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
      sides.fill(200);
      migration.start();
      migration.catchUp();
      assertThatThrownBy(() -> openForReading(sides))
          .isExactlyInstanceOf(KvException.Transient.class)
          .hasMessageContaining("still being copied");
      migration.copy();
      assertThatThrownBy(() -> openForReading(sides))
          .isExactlyInstanceOf(KvException.Transient.class);
      sides.put(Sides.key(3), "changed");
      migration.catchUp();
      Row row = Await.of(openForReading(sides).get(Sides.key(3), Sides.call()));
      assertThat(row.value()).isEqualTo(Bytes.utf8("changed"));
    }
  }

  private static StoreCollection openForReading(Sides sides) {
    return Await.of(sides.target.open(Sides.COLLECTION, Sides.LAYOUT, Claim.READ));
  }

  @Test
  void run_again_findsEverythingDone() {
    try (Sides sides = new Sides()) {
      sides.fill(100);
      MigrationResult first;
      try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
        first = migration.run();
      }
      try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
        MigrationResult second = migration.run();
        assertThat(second.cutover().attempts()).isZero();
        assertThat(second.cutover().floor()).isEqualTo(first.cutover().floor());
        assertThat(second.certificate()).isEqualTo(first.certificate());
        assertThat(second.copy().counts().read()).isEqualTo(100);
        MigrationStatus status = migration.status();
        assertThat(status.source().phase()).isEqualTo(Phase.NEW_ONLY);
        assertThat(status.copy().tasksDone()).isEqualTo(status.copy().tasks());
        assertThat(status.source().floor()).hasValue(first.cutover().floor());
      }
    }
  }

  @Test
  void apply_duplicatesInAnyOrder_changeNothing() {
    try (Sides sides = new Sides()) {
      sides.fill(50);
      try (LiveWriter writer = new LiveWriter(sides, 2, SEED);
          Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
        migration.copy();
        await(() -> writer.writesBefore() > 3_000);
        migration.catchUp();
        repeatShuffled(sides, new Random(SEED));
        MigrationResult result = migration.run();
        assertThat(result.changesApplied()).isGreaterThan(result.changesStreamed());
        assertThat(result.verify().differences()).as("seed %d", SEED).isZero();
        writer.assertHolds();
      }
    }
  }

  @Test
  void cutover_brokerFrozenInsideTheFence_liftsAndTriesAgain() {
    try (Sides sides = new Sides();
        KafkaBroker broker = KafkaBroker.start()) {
      sides.fill(100);
      AtomicInteger fences = new AtomicInteger();
      Intercepted.Fault freezing =
          (type, method, arguments, request) -> {
            if (method.equals("fence") && fences.incrementAndGet() == 1) {
              broker.pause();
            } else if (method.equals("lift")) {
              broker.resume();
            }
            return request.send();
          };
      MigrationPlan plan = sides.from(freezing).plan(broker, Sides.options(Duration.ofMillis(500)));
      try (LiveWriter writer = new LiveWriter(sides, 2, SEED);
          Migration migration = Migration.of(plan, ProgressListener.NONE)) {
        MigrationResult result = migration.run();

        assertThat(result.cutover().attempts()).isEqualTo(2);
        await(() -> writer.writesAfter() > 100);
        writer.assertHolds();
      }
    }
  }

  @Test
  void cutover_fenceLiftedBeforeTheMove_triesAgain() {
    try (Sides sides = new Sides()) {
      sides.fill(100);
      List<String> attempts = new ArrayList<>();
      Intercepted.Fault lifting =
          (type, method, arguments, request) -> {
            if (method.equals("move")) {
              attempts.add((String) arguments[0]);
              if (attempts.size() == 1) {
                Await.of(sides.from.gate().lift(attempts.get(0)));
              }
            }
            return request.send();
          };
      try (Migration migration = Migration.of(sides.from(lifting).plan(), ProgressListener.NONE)) {
        CutoverReport report = migration.run().cutover();

        assertThat(report.attempts()).isEqualTo(2);
        assertThat(attempts).hasSize(2).doesNotHaveDuplicates().last().isEqualTo(report.attempt());
      }
    }
  }

  @Test
  void run_rowThatTheTargetRefuses_movesNothingUntilItIsThere() {
    try (Sides sides = new Sides()) {
      sides.fill(100);
      Refusing refusal = Refusing.valuesOf(Sides.key(7));
      try (Migration migration = Migration.of(sides.to(refusal).plan(), ProgressListener.NONE)) {
        assertThatThrownBy(migration::run)
            .isInstanceOfSatisfying(
                MigrationException.Mismatch.class,
                mismatch ->
                    assertThat(mismatch.report().keys())
                        .extracting(Difference::key)
                        .containsExactly(Sides.key(7)));
        assertThat(migration.status().quarantine().keys()).isEqualTo(1);
        assertThat(migration.status().copy().counts().rejected()).isEqualTo(1);
        sides.put(Sides.key(7), "refused as well");
        migration.catchUp();

        refusal.turn(false);
        sides.put(Sides.key(7), "smaller");
        migration.catchUp();
        assertThat(migration.run().verify().differences()).isZero();
        assertThat(migration.status().quarantine().keys()).isZero();
      }
    }
  }

  @Test
  void cutover_keyInQuarantine_isRefused() {
    try (Sides sides = new Sides()) {
      sides.fill(100);
      Refusing refusal = Refusing.valuesOf(Sides.key(700));
      try (Migration migration = Migration.of(sides.to(refusal).plan(), ProgressListener.NONE)) {
        migration.copy();
        migration.verify();
        sides.put(Sides.key(700), "too large");
        migration.catchUp();
        assertThatThrownBy(migration::cutover)
            .isInstanceOfAny(
                MigrationException.CutoverRefused.class, MigrationException.Mismatch.class);
        assertThat(Await.of(sides.from.gate().state()).phase()).isEqualTo(Phase.LEGACY);
        sides.delete(Sides.key(700));
      }
    }
  }

  private static long streamedPosition(Migration migration) {
    MigrationStatus.Stream stream = migration.status().stream();
    return stream == null ? 0 : stream.position();
  }

  private static void repeatShuffled(Sides sides, Random random) {
    MigrationPlan plan = sides.plan();
    String name = "kvshift." + Sides.COLLECTION;
    Ledger ledger =
        new Ledger(
            sides.target.metadata(),
            Sides.COLLECTION,
            plan.options().patience(),
            java.time.Clock.systemUTC());
    String topicName = ledger.require(MigrationConfig.KEY).topic().name();
    assertThat(topicName).startsWith(name);
    Topic topic =
        new Topic(
            Brokers.plain(plan.bootstrapServers()),
            topicName,
            plan.options().topicPartitions(),
            1 << 20,
            plan.options().patience());
    List<ConsumerRecord<byte[], byte[]>> all = new ArrayList<>();
    try (KafkaConsumer<byte[], byte[]> consumer = topic.standaloneConsumer()) {
      consumer.assign(topic.all());
      consumer.seekToBeginning(topic.all());
      long end = consumer.endOffsets(topic.all()).values().stream().mapToLong(x -> x).sum();
      while (topic.all().stream().mapToLong(consumer::position).sum() < end) {
        consumer.poll(Duration.ofMillis(100)).forEach(all::add);
      }
    }
    Collections.shuffle(all, random);
    try (KafkaProducer<byte[], byte[]> producer = topic.producer()) {
      for (ConsumerRecord<byte[], byte[]> record : all) {
        if (TopicRecord.parse(record.key(), record.value()) instanceof TopicRecord.Change) {
          producer.send(
              new ProducerRecord<>(topicName, record.partition(), record.key(), record.value()));
        }
      }
    }
  }

  private static void await(BooleanSupplier condition) {
    long end = System.nanoTime() + LONGEST.toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime() - end).as("waited too long").isNegative();
      Thread.onSpinWait();
    }
  }
}
