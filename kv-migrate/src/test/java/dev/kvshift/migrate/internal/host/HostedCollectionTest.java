package dev.kvshift.migrate.internal.host;

import static dev.kvshift.testkit.concurrent.Await.join;
import static dev.kvshift.testkit.concurrent.Await.until;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Layout;
import dev.kvshift.embedded.KafkaBroker;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.migrate.api.HostStatus;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.api.ScanRate;
import dev.kvshift.migrate.api.TaskKind;
import dev.kvshift.migrate.internal.ledger.CopyPlan;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.MigrationConfig;
import dev.kvshift.migrate.internal.ledger.TaskRecord;
import dev.kvshift.migrate.internal.task.Holder;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Clock;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class HostedCollectionTest {
  private static final Layout LAYOUT = Layout.point();
  private static final StoreKey KEY = StoreKey.of(Bytes.utf8("key"), Bytes.empty());

  private final Store source = MemoryStoreProvider.open(UUID.randomUUID().toString());
  private final Store target = MemoryStoreProvider.open(UUID.randomUUID().toString());
  private final MigrationPlan plan =
      MigrationPlan.builder("files", LAYOUT)
          .source(source)
          .target(target)
          .bootstrapServers(KafkaBroker.shared().bootstrapServers())
          .options(MigrationOptions.builder().topicPartitions(1).copyTasks(8).build())
          .build();
  private final TaskDesk desk = new TaskDesk(plan, Clock.systemUTC());
  private final AtomicBoolean isAssigned = new AtomicBoolean(true);
  private final HostedCollection collection =
      new HostedCollection(
          plan,
          Holder.ofProcess(Duration.ofSeconds(10)),
          partition -> isAssigned.get(),
          ProgressListener.NONE);

  @BeforeEach
  void fill() {
    StoreCollection from = join(source.open("files", LAYOUT, Claim.ACTIVE));
    join(from.write(KEY, Mutation.put(Bytes.utf8("value")), call()));
  }

  @AfterEach
  void close() {
    collection.close();
    source.close();
    target.close();
  }

  @Test
  void look_nothingIsAskedFor_takesNothing() {
    collection.look();

    assertThat(desk.read().tasks()).isEmpty();
  }

  @Test
  void look_partitionOfAnotherHost_takesNothingUntilItIsThisOnes() {
    isAssigned.set(false);
    desk.ask(TaskKind.PREPARE);

    collection.look();
    assertThat(task(TaskKind.PREPARE).status()).isEqualTo("wanted");

    isAssigned.set(true);
    lookUntil(TaskKind.PREPARE, "done");
    assertThat(task(TaskKind.PREPARE).attempt()).isEqualTo(1);
  }

  @Test
  void look_partitionThatWentToAnotherHost_handsItsTasksOver() {
    desk.ask(TaskKind.LEAD);
    lookUntil(TaskKind.LEAD, "running");

    isAssigned.set(false);

    lookUntil(TaskKind.LEAD, "wanted");
    assertThat(task(TaskKind.LEAD).failures()).isZero();
  }

  @Test
  void look_pausedCollection_isLeftAlone() {
    desk.pause();
    desk.ask(TaskKind.PREPARE);

    collection.look();
    assertThat(task(TaskKind.PREPARE).status()).isEqualTo("wanted");

    desk.resume();
    lookUntil(TaskKind.PREPARE, "done");
  }

  @Test
  void look_copyAndVerify_areDoneInTheirOrder() {
    desk.ask(TaskKind.LEAD);
    desk.ask(TaskKind.COPY);
    desk.ask(TaskKind.VERIFY);

    lookUntil(TaskKind.VERIFY, "done");

    HostStatus.Collection state = desk.read();
    assertThat(task(TaskKind.COPY).status()).isEqualTo("done");
    assertThat(state.migration().copy().counts().written()).isEqualTo(1);
    assertThat(state.migration().verify().differences()).isZero();
  }

  @Test
  void ask_whatIsDone_staysDoneButForAComparison() {
    for (TaskKind kind : new TaskKind[] {TaskKind.LEAD, TaskKind.COPY, TaskKind.VERIFY}) {
      desk.ask(kind);
    }
    lookUntil(TaskKind.VERIFY, "done");

    desk.ask(TaskKind.COPY);
    desk.ask(TaskKind.VERIFY);

    assertThat(task(TaskKind.COPY).status()).isEqualTo("done");
    assertThat(task(TaskKind.VERIFY).status()).isEqualTo("wanted");
    lookUntil(TaskKind.VERIFY, "done");
    assertThat(task(TaskKind.VERIFY).attempt()).isEqualTo(2);
  }

  @Test
  void look_preparedAnewMeanwhile_opensTheNewCopy() {
    desk.ask(TaskKind.LEAD);
    desk.ask(TaskKind.COPY);
    lookUntil(TaskKind.COPY, "done");
    isAssigned.set(false);
    lookUntil(TaskKind.LEAD, "wanted");
    startOver();

    isAssigned.set(true);
    desk.ask(TaskKind.LEAD);
    desk.ask(TaskKind.COPY);
    lookUntil(TaskKind.COPY, "done");

    StoreCollection now = join(target.open("files", LAYOUT, Claim.NONE));
    assertThat(join(now.get(KEY, call()))).as("the row in the new incarnation").isNotNull();
  }

  @Test
  void set_whileACopyRuns_changesItsRate() {
    StoreCollection from = join(source.open("files", LAYOUT, Claim.NONE));
    for (int i = 0; i < 1_000; i++) {
      StoreKey key = StoreKey.of(Bytes.utf8("key-" + i), Bytes.empty());
      join(from.write(key, Mutation.put(Bytes.utf8("value")), call()));
    }
    desk.set(ScanRate.rowsPerSecond(100));
    desk.ask(TaskKind.LEAD);
    desk.ask(TaskKind.COPY);
    until(
        "the copy has begun",
        () -> {
          collection.look();
          return desk.read().migration().copy().counts().read() > 0;
        });
    assertThat(desk.read().migration().copy().counts().read()).isLessThan(1_001);
    long startNanos = System.nanoTime();

    desk.set(ScanRate.unlimited());

    lookUntil(TaskKind.COPY, "done");
    assertThat(Duration.ofNanos(System.nanoTime() - startNanos))
        .as("at the former rate the rest takes seven seconds at least")
        .isLessThan(Duration.ofSeconds(5));
    desk.set(null);
  }

  /** Begins the next incarnation by hand, and forgets what was done for the former one. */
  private void startOver() {
    Ledger ledger =
        new Ledger(target.metadata(), "files", Duration.ofSeconds(10), Clock.systemUTC());
    Copy former = ledger.require(MigrationConfig.KEY).requireCopy();
    Copy next = Copy.draw(former.source());
    join(target.restart("files", former, next));
    join(target.drop("files", 1));
    Gate gate = join(source.open("files", LAYOUT, Claim.NONE)).gate();
    Gate.State state = join(gate.state());
    join(gate.compareAndSet(state, state.withCopy(next).withIncarnation(2)));
    ledger.updatePresent(
        MigrationConfig.KEY,
        found ->
            new MigrationConfig(
                found.layout(), 2, next, found.source(), found.topic(), found.at()));
    ledger.remove(CopyPlan.KEY);
    for (TaskKind kind : TaskKind.values()) {
      ledger.remove(TaskRecord.key(kind));
    }
  }

  private static Call call() {
    return Call.within(Duration.ofSeconds(10));
  }

  private void lookUntil(TaskKind kind, String status) {
    until(
        kind + " is " + status,
        () -> {
          collection.look();
          return task(kind).status().equals(status);
        });
  }

  private HostStatus.Task task(TaskKind kind) {
    return desk.read().task(kind).orElseThrow();
  }
}
