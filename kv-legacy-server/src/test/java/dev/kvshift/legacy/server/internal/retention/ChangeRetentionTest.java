package dev.kvshift.legacy.server.internal.retention;

import static dev.kvshift.legacy.server.Stores.await;
import static dev.kvshift.legacy.server.Stores.unhurried;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.groups.Tuple.tuple;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.legacy.server.ManualClock;
import dev.kvshift.legacy.server.internal.commit.Table;
import dev.kvshift.legacy.server.internal.engine.Engine;
import dev.kvshift.legacy.server.internal.storage.EngineOptions;
import dev.kvshift.legacy.server.internal.storage.Retention;
import dev.kvshift.legacy.wire.ConsumerState;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.StoreKey;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/** Tests of the retention of changes, and of the warnings that a slow consumer gets. */
class ChangeRetentionTest {
  private static final Duration KEPT = Duration.ofDays(2);
  private static final long MINUTE = 60_000;

  @TempDir Path directory;
  private final ManualClock clock = new ManualClock();
  private long keptBytes = Long.MAX_VALUE;
  private Engine engine;
  private Table table;

  @BeforeEach
  void open() {
    engine =
        Engine.open(
            EngineOptions.of(directory, 4)
                .with(clock)
                .with(new Retention(Duration.ofDays(10), KEPT, keptBytes)));
    table = await(engine.collection("files"));
  }

  @AfterEach
  void close() {
    engine.close();
  }

  private void reopen() {
    close();
    open();
  }

  private void put(int bytes) {
    StoreKey key = StoreKey.of(Bytes.utf8("m"), Bytes.empty());
    Mutation mutation = Mutation.put(Bytes.of(new byte[bytes]));
    await(engine.write(table, key, mutation, unhurried()));
  }

  private ConsumerState only() {
    List<ConsumerState> consumers = engine.consumers().of(table);
    assertThat(consumers).hasSize(1);
    return consumers.get(0);
  }

  @Test
  void consumed_beforeRestart_isKnownAfterItAndMoves() {
    put(10);
    put(10);
    await(engine.consumers().consumed(table, "runner", 1));
    reopen();
    assertThat(only().getName()).isEqualTo("runner");
    assertThat(only().getPosition()).isEqualTo(1);

    await(engine.consumers().consumed(table, "runner", 2));
    reopen();

    assertThat(only().getPosition()).isEqualTo(2);
    await(engine.consumers().forget(table, "runner"));
    reopen();
    assertThat(engine.consumers().of(table)).isEmpty();
  }

  @Test
  void consumed_asTimePasses_returnsHowLongTheNextChangeIsKept() {
    put(10);
    engine.maintenance().run();
    assertThat(await(engine.consumers().consumed(table, "runner", 0)).toMillis())
        .isBetween(KEPT.toMillis() - MINUTE, KEPT.toMillis());

    clock.advance(Duration.ofDays(1));
    put(10);
    engine.maintenance().run();

    long day = Duration.ofDays(1).toMillis();
    assertThat(await(engine.consumers().consumed(table, "runner", 0)).toMillis())
        .isBetween(day - MINUTE, day);
    assertThat(await(engine.consumers().consumed(table, "runner", 1)).toMillis())
        .isBetween(2 * day - MINUTE, 2 * day);
    assertThat(await(engine.consumers().consumed(table, "runner", 2))).isEqualTo(KEPT);
  }

  @Test
  void consumed_logNearItsSize_returnsTheTimeUntilItIsFull() {
    close();
    keptBytes = 4 << 20;
    open();
    put(1 << 20);
    engine.maintenance().run();
    clock.advance(Duration.ofHours(1));
    put(1 << 20);
    engine.maintenance().run();

    long left = await(engine.consumers().consumed(table, "runner", 0)).toMinutes();

    assertThat(left).isBetween(30L, 90L);
  }

  @Test
  void consumed_positionOutsideTheLog_isPermanent() {
    put(10);

    assertThatThrownBy(() -> await(engine.consumers().consumed(table, "runner", 2)))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("newest is 1");
    assertThatThrownBy(() -> await(engine.consumers().consumed(table, "runner", -1)))
        .isInstanceOf(KvException.Permanent.class);
    assertThat(engine.consumers().of(table)).isEmpty();
  }

  @Test
  void consumed_tooMany_isPermanentAndKnownOnesContinue() {
    put(10);
    for (int i = 0; i < ChangeRetention.MAX_CONSUMERS; i++) {
      await(engine.consumers().consumed(table, "runner" + i, 0));
    }

    assertThatThrownBy(() -> await(engine.consumers().consumed(table, "one too many", 0)))
        .isInstanceOf(KvException.Permanent.class);
    await(engine.consumers().consumed(table, "runner7", 1));
    assertThat(engine.consumers().of(table)).hasSize(ChangeRetention.MAX_CONSUMERS);
  }

  @Test
  void trim_slowConsumer_isNamedInTheLogAndTheStatisticsAndToldSo() {
    put(10);
    put(10);
    put(10);
    await(engine.consumers().consumed(table, "slow", 1));
    await(engine.consumers().consumed(table, "quick", 3));
    engine.maintenance().run();
    clock.advance(KEPT.plusHours(1));

    List<String> warnings = warningsOf(() -> engine.maintenance().run());

    assertThat(warnings)
        .containsExactly(
            "collection files: changes 2 to 2 were dropped although consumer slow has not read"
                + " them: it must copy the collection again; retain changes longer, or forget the"
                + " consumer");
    assertThat(engine.reads().window(table)).isEqualTo(ChangeSource.Window.of(3, 3));
    reopen();
    assertThat(engine.consumers().of(table))
        .extracting(ConsumerState::getName, ConsumerState::getDroppedUpTo)
        .containsExactly(tuple("slow", 2L), tuple("quick", 0L));
    assertThat(engine.consumers().of(table).get(0).getLeftMillis()).isZero();
    assertThatThrownBy(() -> await(engine.consumers().consumed(table, "slow", 1)))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("slow")
        .hasMessageContaining("oldest is 3");
    assertThatThrownBy(() -> await(engine.changes(table, 1, 1 << 20, Duration.ZERO)))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("oldest is 3");
    await(engine.consumers().consumed(table, "slow", 3));
    assertThat(engine.consumers().of(table))
        .extracting(ConsumerState::getDroppedUpTo)
        .containsExactly(0L, 0L);
  }

  @Test
  void trim_clockEightDaysAheadForAMinute_dropsNothingThatAConsumerNeeds() {
    put(10);
    put(10);
    put(10);
    await(engine.consumers().consumed(table, "slow", 1));
    engine.maintenance().run();
    clock.jump(Duration.ofDays(8));

    engine.maintenance().run();
    clock.advance(Duration.ofMinutes(1));
    engine.maintenance().run();

    assertThat(engine.reads().window(table)).isEqualTo(ChangeSource.Window.of(1, 3));
    clock.jump(Duration.ofDays(-8));
    engine.maintenance().run();
    put(10);
    assertThat(engine.reads().window(table)).isEqualTo(ChangeSource.Window.of(1, 4));
    assertThat(engine.consumers().of(table).get(0).getDroppedUpTo()).isZero();
    assertThat(await(engine.consumers().consumed(table, "slow", 2))).isPositive();
  }

  @Test
  void trim_logTooLarge_dropsTheOldestOnlyUntilItFits() {
    close();
    keptBytes = 4 << 20;
    open();
    for (int i = 0; i < 12; i++) {
      put(1 << 20);
      engine.maintenance().run();
      clock.advance(Duration.ofMinutes(1));
      if (i > 4) {
        assertThat(engine.reads().changeBytes(table)).isGreaterThan(keptBytes * 3 / 8);
      }
    }

    ChangeSource.Window window = engine.reads().window(table);
    assertThat(window.newest()).isEqualTo(12);
    assertThat(window.oldest()).isBetween(5L, 11L);
    engine.maintenance().run();
    assertThat(engine.reads().window(table)).isEqualTo(window);
  }

  @Test
  void drop_collectionWithConsumers_startsWithoutThem() {
    put(10);
    await(engine.consumers().consumed(table, "runner", 1));
    engine.maintenance().run();
    await(engine.drop("files", Engine.INCARNATION));
    table = await(engine.collection("files"));
    reopen();

    assertThat(engine.consumers().of(table)).isEmpty();
    assertThat(engine.reads().window(table)).isEqualTo(ChangeSource.Window.of(1, 0));
  }

  private static List<String> warningsOf(Runnable task) {
    Logger logger = (Logger) LoggerFactory.getLogger(ChangeRetention.class);
    ListAppender<ILoggingEvent> events = new ListAppender<>();
    events.start();
    logger.addAppender(events);
    try {
      task.run();
    } finally {
      logger.detachAppender(events);
    }
    return events.list.stream()
        .filter(event -> event.getLevel().equals(Level.WARN))
        .map(ILoggingEvent::getFormattedMessage)
        .toList();
  }
}
