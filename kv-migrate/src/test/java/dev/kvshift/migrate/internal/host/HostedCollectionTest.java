package dev.kvshift.migrate.internal.host;

import static dev.kvshift.testkit.concurrent.Await.join;
import static dev.kvshift.testkit.concurrent.Await.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.embedded.KafkaBroker;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.migrate.api.CopiedSnapshot;
import dev.kvshift.migrate.api.CutoverReport;
import dev.kvshift.migrate.api.Failure;
import dev.kvshift.migrate.api.HostPlan;
import dev.kvshift.migrate.api.HostStatus;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.MigrationStatus;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.api.RunEnd;
import dev.kvshift.migrate.api.ScanRate;
import dev.kvshift.migrate.api.TaskKind;
import dev.kvshift.migrate.api.Way;
import dev.kvshift.migrate.internal.cutover.Mandate;
import dev.kvshift.migrate.internal.ledger.Aim;
import dev.kvshift.migrate.internal.ledger.CopyPlan;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.MigrationConfig;
import dev.kvshift.migrate.internal.ledger.TaskRecord;
import dev.kvshift.migrate.internal.task.Holder;
import dev.kvshift.migrate.internal.task.TaskGroup;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.ForwardingStore;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.transition.Coordinator;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class HostedCollectionTest {
  private static final Layout LAYOUT = Layout.point();
  private static final Set<String> GIVEN_UP = Set.of("unnamed");

  private static final Groups ALONE =
      new Groups() {
        @Override
        public void certify(
            List<MigrationPlan> group, @Nullable Instant until, ProgressListener listener) {
          throw new AssertionError(group);
        }

        @Override
        public List<CutoverReport> cutOver(
            List<MigrationPlan> group, Mandate mandate, ProgressListener listener) {
          throw new AssertionError(group);
        }
      };

  private static final StoreKey KEY = StoreKey.of(Bytes.utf8("key"), Bytes.empty());

  private final String sourceName = UUID.randomUUID().toString();
  private final Store source = MemoryStoreProvider.open(sourceName);
  private final Store target = MemoryStoreProvider.open(UUID.randomUUID().toString());
  private final MigrationPlan plan =
      MigrationPlan.builder("files", LAYOUT)
          .source(source)
          .target(target)
          .bootstrapServers(KafkaBroker.shared().bootstrapServers())
          .options(
              MigrationOptions.builder()
                  .topicPartitions(1)
                  .copyTasks(8)
                  .dwell(Duration.ZERO)
                  .pauseLimit(Duration.ofSeconds(5))
                  .fenceLifetime(Duration.ofSeconds(6))
                  .build())
          .build();
  private final TaskDesk desk = new TaskDesk(plan, Clock.systemUTC());
  private final AtomicBoolean isAssigned = new AtomicBoolean(true);
  private final HostedCollection collection =
      hosted(plan, Holder.ofProcess(Duration.ofSeconds(10)), partition -> isAssigned.get());

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
  void look_copyFromASnapshotThatIsNone_failsForGoodAndIsDoneFromOneThatIs() {
    String other = UUID.randomUUID().toString();
    desk.ask(TaskKind.LEAD);
    desk.ask(TaskKind.COPY);
    try (Store unrelated = MemoryStoreProvider.open(other);
        HostedCollection host = copyingFrom(other)) {
      StoreCollection files = join(unrelated.open("files", LAYOUT, Claim.ACTIVE));
      join(files.write(KEY, Mutation.put(Bytes.utf8("unrelated")), call()));
      until(
          "the copy has failed",
          () -> {
            host.look();
            return task(TaskKind.COPY).hasFailed();
          });
    }
    assertThat(task(TaskKind.COPY).reason()).contains("a snapshot of another store or collection");
    assertThat(desk.read().migration().copy().counts().read()).isZero();

    desk.ask(TaskKind.COPY);
    try (HostedCollection host = copyingFrom(sourceName)) {
      until(
          "the copy is done",
          () -> {
            host.look();
            return task(TaskKind.COPY).status().equals("done");
          });
    }
    MigrationStatus.Copy copy = desk.read().migration().copy();
    assertThat(copy.counts().written()).isEqualTo(1);
    assertThat(copy.snapshot()).isEqualTo(new CopiedSnapshot(source.description(), 1));
  }

  private HostedCollection copyingFrom(String name) {
    return hosted(
        plan.toBuilder().copyFrom(() -> MemoryStoreProvider.open(name)).build(),
        Holder.ofProcess(Duration.ofSeconds(10)),
        partition -> true);
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

  @Test
  void look_stepsForwardAndBack_areTaken() {
    desk.askStep(Phase.SHADOW_WRITE);
    lookUntil(TaskKind.STEP, "done");
    assertThat(gate().phase()).isEqualTo(Phase.SHADOW_WRITE);

    desk.askStep(Phase.LEGACY);
    lookUntil(TaskKind.STEP, "done");
    assertThat(gate().phase()).isEqualTo(Phase.LEGACY);
    assertThat(desk.read().migration().events().toString())
        .contains("\"from\":\"legacy\",\"to\":\"shadow-write\",\"epoch\":1")
        .contains("\"from\":\"shadow-write\",\"to\":\"legacy\",\"epoch\":2");
  }

  @Test
  void look_stepWhoseHostDied_isTakenUpByAnother() {
    waitForTheCopy();
    AtomicLong nanos = new AtomicLong();
    Holder survivor = new Holder("survivor", Duration.ofSeconds(10), nanos::get);
    try (HostedCollection other = hosted(plan, survivor, partition -> true)) {
      other.look();
      assertThat(task(TaskKind.STEP).attempt()).isEqualTo(1);
      until(
          "the other host has taken the step",
          () -> {
            nanos.addAndGet(Duration.ofSeconds(12).toNanos());
            other.look();
            return task(TaskKind.STEP).owner().equals("survivor");
          });
      desk.ask(TaskKind.COPY);
      until(
          "the step is taken",
          () -> {
            other.look();
            return task(TaskKind.STEP).status().equals("done");
          });
      assertThat(task(TaskKind.STEP).attempt()).isEqualTo(2);
      assertThat(gate().phase()).isEqualTo(Phase.DUAL_WRITE);
      assertThat(gate().epoch()).as("each step is taken once").isEqualTo(2);
    }
  }

  @Test
  void look_stepOfACollectionThatWasTakenBackMeanwhile_isRefused() {
    waitForTheCopy();
    Coordinator.of("files", join(source.open("files", LAYOUT, Claim.NONE)).gate())
        .moveTo(Phase.LEGACY, Duration.ofSeconds(10));

    desk.ask(TaskKind.COPY);

    lookUntil(TaskKind.STEP, "failed");
    assertThat(task(TaskKind.STEP).reason())
        .startsWith(
            "collection files was in phase legacy when the way to dual-write was asked for");
    assertThat(gate().phase()).isEqualTo(Phase.LEGACY);
  }

  @Test
  void askStep_whileAnotherWaits_replacesIt() {
    waitForTheCopy();

    desk.askStep(Phase.LEGACY);

    lookUntil(TaskKind.STEP, "done");
    assertThat(gate().phase()).isEqualTo(Phase.LEGACY);
  }

  @Test
  void askStep_againWhileItWaits_changesNothing() {
    waitForTheCopy();
    HostStatus.Task before = task(TaskKind.STEP);

    desk.askStep(Phase.DUAL_WRITE);

    assertThat(task(TaskKind.STEP).attempt()).isEqualTo(before.attempt());
    assertThat(task(TaskKind.STEP).status()).isEqualTo("running");
  }

  @Test
  void askStep_whileACutoverIsWanted_withdrawsIt() {
    desk.askCutover(Set.of(), List.of(), null);

    desk.askStep(Phase.SHADOW_WRITE);

    assertThat(task(TaskKind.CUTOVER).status()).isEqualTo("done");
    assertThat(task(TaskKind.CUTOVER).note()).isEqualTo("withdrawn: step follows");
  }

  @Test
  void look_cutover_movesAndEndsTheLead() {
    desk.ask(TaskKind.LEAD);
    desk.ask(TaskKind.COPY);
    desk.ask(TaskKind.VERIFY);
    lookUntil(TaskKind.VERIFY, "done");

    desk.askCutover(Set.of("unnamed"), List.of(), null);

    lookUntil(TaskKind.CUTOVER, "done");
    assertThat(gate().phase()).isEqualTo(Phase.NEW_ONLY);
    assertThat(task(TaskKind.CUTOVER).note()).startsWith("moved after ");
    lookUntil(TaskKind.LEAD, "done");
    desk.askCutover(Set.of(), List.of(), null);
    lookUntil(TaskKind.CUTOVER, "done");
    assertThat(task(TaskKind.CUTOVER).note()).startsWith("moved already by attempt ");
    assertThatThrownBy(() -> desk.askStep(Phase.LEGACY))
        .isExactlyInstanceOf(MigrationException.CutoverRefused.class)
        .hasMessageContaining("there is no way back from NEW_ONLY");
  }

  @Test
  void look_cutoverThatWasNotCompared_failsForGood() {
    desk.ask(TaskKind.LEAD);
    desk.ask(TaskKind.COPY);
    lookUntil(TaskKind.COPY, "done");

    desk.askCutover(Set.of("unnamed"), List.of(), null);

    lookUntil(TaskKind.CUTOVER, "failed");
    assertThat(task(TaskKind.CUTOVER).reason())
        .isEqualTo("collection files was not compared: verify first");
    assertThat(gate().phase()).isEqualTo(Phase.LEGACY);
  }

  @Test
  void look_cutoverThatWaits_isReadyAndMovesOnceItIsLet() {
    assertThatThrownBy(desk::letGo)
        .isExactlyInstanceOf(MigrationException.CutoverRefused.class)
        .hasMessageContaining("no cutover of collection files waits");
    verify();
    desk.askCutover(GIVEN_UP, List.of(), new Aim.Hold(null, 0));
    lookUntilReady(collection);
    desk.ask(TaskKind.VERIFY);
    lookUntil(TaskKind.VERIFY, "done");
    assertThat(task(TaskKind.CUTOVER).attempt()).as("nobody holds it").isEqualTo(1);
    assertThat(gate().phase()).isEqualTo(Phase.LEGACY);

    desk.letGo();

    lookUntil(TaskKind.CUTOVER, "done");
    assertThat(task(TaskKind.CUTOVER).note()).startsWith("moved after ");
    assertThat(task(TaskKind.CUTOVER).attempt()).isEqualTo(2);
    assertThat(gate().phase()).isEqualTo(Phase.NEW_ONLY);
    assertThatThrownBy(desk::letGo).hasMessageContaining("no cutover of collection files waits");
  }

  @Test
  void look_cutoverThatWaits_hostDied_isMadeReadyByTheNextAndMovesOnce() {
    verify();
    desk.askCutover(GIVEN_UP, List.of(), new Aim.Hold(null, 0));
    lookUntilReady(collection);
    AtomicLong nanos = new AtomicLong();
    Holder survivor = new Holder("survivor", Duration.ofSeconds(10), nanos::get);
    try (HostedCollection other = hosted(plan, survivor, partition -> true)) {
      other.look();
      until(
          "it is made ready again",
          () -> {
            nanos.addAndGet(Duration.ofSeconds(12).toNanos());
            other.look();
            return task(TaskKind.CUTOVER).attempt() == 2;
          });
      lookUntilReady(other);
      desk.letGo();
      until(
          "the other host has moved it",
          () -> {
            other.look();
            return task(TaskKind.CUTOVER).status().equals("done");
          });
      assertThat(task(TaskKind.CUTOVER).owner()).isEqualTo("survivor");
      assertThat(desk.read().migration().events())
          .filteredOn(event -> event.contains("\"what\":\"moved\""))
          .hasSize(1);
    }
  }

  @Test
  void look_cutoverThatIsToWait_notComparedOrTooLate_isRefusedAtOnce() {
    desk.ask(TaskKind.LEAD);
    desk.ask(TaskKind.COPY);
    lookUntil(TaskKind.COPY, "done");
    desk.askCutover(GIVEN_UP, List.of(), new Aim.Hold(null, 0));
    lookUntil(TaskKind.CUTOVER, "failed");
    assertThat(task(TaskKind.CUTOVER).reason())
        .isEqualTo("collection files was not compared: verify first");
    assertThat(task(TaskKind.CUTOVER).failure()).isEqualTo(Failure.REFUSED);

    verify();
    Instant tooLate = Instant.now().plus(Duration.ofHours(25));
    desk.askCutover(GIVEN_UP, List.of(), new Aim.Hold(tooLate, 0));
    lookUntil(TaskKind.CUTOVER, "failed");
    assertThat(task(TaskKind.CUTOVER).reason())
        .startsWith("at its hour, " + tooLate + ", it would be refused: ");
  }

  @Test
  void look_cutoverWhoseHourHasPassed_isRefusedAnHourLater() {
    verify();
    Instant missed = Instant.now().minus(Duration.ofMinutes(61));

    desk.askCutover(GIVEN_UP, List.of(), new Aim.Hold(missed, 0));

    lookUntil(TaskKind.CUTOVER, "failed");
    assertThat(task(TaskKind.CUTOVER).reason())
        .contains("was not moved: no host worked on it at its hour");
    assertThat(gate().phase()).isEqualTo(Phase.LEGACY);

    desk.askCutover(GIVEN_UP, List.of(), new Aim.Hold(Instant.now().minusSeconds(1), 0));
    lookUntil(TaskKind.CUTOVER, "done");
    assertThat(gate().phase()).isEqualTo(Phase.NEW_ONLY);
  }

  /** Its hour has passed while it was done: services use the target alone since the seal. */
  @Test
  void look_cutoverWhoseHostDiedAfterTheSeal_isCompletedAtAnyHour() {
    desk.ask(TaskKind.LEAD);
    desk.ask(TaskKind.COPY);
    lookUntil(TaskKind.COPY, "done");
    desk.askStep(Phase.SHADOW_READ);
    lookUntil(TaskKind.STEP, "done");
    verify();
    desk.askStep(Phase.NEW_PRIMARY);
    lookUntil(TaskKind.STEP, "done");
    isAssigned.set(false);
    lookUntil(TaskKind.LEAD, "wanted");
    desk.askCutover(GIVEN_UP, List.of(), new Aim.Hold(Instant.now().minusSeconds(1), 0));
    MigrationPlan dying = plan.toBuilder().target(new WithoutActivation(target)).build();
    try (HostedCollection host =
        hosted(dying, Holder.ofProcess(Duration.ofSeconds(10)), partition -> true)) {
      until(
          "the host has died",
          () -> {
            host.look();
            return task(TaskKind.CUTOVER).hasFailed();
          });
    }
    assertThat(task(TaskKind.CUTOVER).reason()).isEqualTo("killed");
    assertThat(gate().sealed()).isTrue();
    Ledger.of(plan, Clock.systemUTC())
        .updatePresent(
            TaskRecord.key(TaskKind.CUTOVER),
            found ->
                found
                    .with(found.state().wantedAnew())
                    .with(found.aim().with(new Aim.Hold(Instant.now().minusSeconds(3_700), 1))));

    isAssigned.set(true);

    lookUntil(TaskKind.CUTOVER, "done");
    assertThat(task(TaskKind.CUTOVER).note()).startsWith("moved ");
  }

  /** A target that a host does not live to activate. */
  private static final class WithoutActivation extends ForwardingStore {
    WithoutActivation(Store inner) {
      super(inner);
    }

    @Override
    public CompletionStage<CollectionRecord> activate(String name, Copy copy, long floor) {
      return CompletableFuture.failedFuture(new KvException.Permanent("killed"));
    }
  }

  @Test
  void endAll_fencedByARunThatIsNoTask_waitsForTheEndOfTheFence() {
    desk.ask(TaskKind.PREPARE);
    lookUntil(TaskKind.PREPARE, "done");
    join(
        join(source.open("files", LAYOUT, Claim.NONE))
            .gate()
            .fence("own", FenceOptions.lasting(Duration.ofSeconds(2)).givingUp(GIVEN_UP)));

    desk.endAll("rollback follows");

    assertThat(gate().fence()).isNull();
  }

  @Test
  void takeBack_cutoverThatBegins_isNotMoved() {
    Coordinator.Hook hook =
        new Coordinator.Hook() {
          @Override
          public void before(Phase from, Phase to) {
            desk.takeBack();
          }

          @Override
          public void after(Phase from, Phase to) {}
        };
    MigrationPlan hooked =
        plan.toBuilder().options(plan.options().toBuilder().hook(hook).build()).build();
    verify();
    isAssigned.set(false);
    lookUntil(TaskKind.LEAD, "wanted");
    desk.askCutover(GIVEN_UP, List.of(), null);
    try (HostedCollection other =
        hosted(hooked, Holder.ofProcess(Duration.ofSeconds(10)), partition -> true)) {
      until(
          "it has begun",
          () -> {
            other.look();
            return task(TaskKind.CUTOVER).attempt() == 1;
          });
      // Nobody looks from here on, so nothing but the ledger tells the host.
      until(
          "its attempt has ended",
          () -> {
            String events = desk.read().migration().events().toString();
            return events.contains("\"what\":\"lifted\"") || events.contains("\"what\":\"moved\"");
          });
    }
    assertThat(task(TaskKind.CUTOVER).note()).startsWith("withdrawn: taken back by ");
    assertThat(gate().phase()).isEqualTo(Phase.LEGACY);
    assertThat(gate().fence()).isNull();
    assertThatThrownBy(desk::takeBack)
        .isExactlyInstanceOf(MigrationException.CutoverRefused.class)
        .hasMessage("no cutover of collection files is asked for");
  }

  @Test
  void look_fenceThatADeadHostHasLeft_isLiftedByTheNext() {
    verify();
    desk.askCutover(GIVEN_UP, List.of(), null);
    Ledger ledger = Ledger.of(plan, Clock.systemUTC());
    ledger.updateIfPresent(
        TaskRecord.key(TaskKind.CUTOVER),
        found -> found.with(found.state().takenBy("dead", Duration.ofMillis(1))));
    join(
        join(source.open("files", LAYOUT, Claim.NONE))
            .gate()
            .fence("task-1-dead", FenceOptions.lasting(Duration.ofSeconds(20)).givingUp(GIVEN_UP)));

    lookUntil(TaskKind.CUTOVER, "done");

    assertThat(gate().phase()).isEqualTo(Phase.NEW_ONLY);
    assertThat(desk.read().migration().events())
        .filteredOn(event -> event.contains("\"what\":\"lifted\""))
        .anySatisfy(event -> assertThat(event).contains("\"attempt\":\"task-1-dead\""));
  }

  @Test
  void look_runToTheEnd_copiesComparesAndMovesOnce() {
    desk.askRun(Way.FENCE, RunEnd.FINAL, GIVEN_UP);
    assertThat(task(TaskKind.RUN).note()).isEqualTo("ends with the cutover, for good");

    lookUntil(TaskKind.RUN, "done");

    assertThat(gate().phase()).isEqualTo(Phase.NEW_ONLY);
    assertThat(task(TaskKind.RUN).note())
        .isEqualTo("stage 3 of 3, cutover; ends with the cutover, for good");
    assertThat(task(TaskKind.VERIFY).attempt()).isEqualTo(1);
    assertThat(task(TaskKind.CUTOVER).attempt()).isEqualTo(1);
  }

  @Test
  void look_runWhoseHostDied_isEndedByAnother() {
    AtomicLong nanos = new AtomicLong();
    Holder survivor = new Holder("survivor", Duration.ofSeconds(10), nanos::get);
    HostedCollection dead = beginRun(Way.DUAL_WRITE, RunEnd.READY);
    try (HostedCollection other = hosted(plan, survivor, partition -> true)) {
      other.look();
      assertThat(task(TaskKind.RUN).attempt()).isEqualTo(1);
      until(
          "the other host has ended the run",
          () -> {
            nanos.addAndGet(Duration.ofSeconds(12).toNanos());
            other.look();
            return task(TaskKind.RUN).status().equals("done");
          });
    } finally {
      dead.close();
    }
    assertThat(task(TaskKind.RUN).owner()).isEqualTo("survivor");
    assertThat(task(TaskKind.RUN).note()).startsWith("stage 5 of 5, step to new-primary");
    assertThat(gate().phase()).isEqualTo(Phase.NEW_PRIMARY);
    assertThat(gate().epoch()).as("each step is taken once").isEqualTo(5);
    assertThat(task(TaskKind.COPY).failures()).isZero();
  }

  @Test
  void look_runOfACollectionThatWasTakenBackMeanwhile_isEnded() {
    try (HostedCollection host = beginRun(Way.DUAL_WRITE, RunEnd.READY)) {
      Coordinator.of("files", join(source.open("files", LAYOUT, Claim.NONE)).gate())
          .moveTo(Phase.LEGACY, Duration.ofSeconds(10));

      until("it has ended", () -> hasEnded(host, TaskKind.RUN));
    }
    assertThat(task(TaskKind.RUN).note())
        .isEqualTo("withdrawn: somebody has taken the collection another way, to phase legacy");
    assertThat(gate().phase()).isEqualTo(Phase.LEGACY);
  }

  @Test
  void otherCommands_whileARunGoesOn_endIt() {
    try (HostedCollection host = beginRun(Way.FENCE, RunEnd.FINAL)) {
      long attempt = task(TaskKind.RUN).attempt();
      desk.askRun(Way.FENCE, RunEnd.FINAL, GIVEN_UP);
      assertThat(task(TaskKind.RUN).status()).as("the same run goes on").isEqualTo("running");
      assertThat(task(TaskKind.RUN).attempt()).isEqualTo(attempt);

      desk.askStep(Phase.SHADOW_WRITE);
      assertThat(task(TaskKind.RUN).note()).isEqualTo("withdrawn: step follows");
      host.look();

      desk.askRun(Way.FENCE, RunEnd.FINAL, GIVEN_UP);
      assertThat(task(TaskKind.STEP).note()).isEqualTo("withdrawn: run follows");
      desk.takeBack();
      assertThat(task(TaskKind.RUN).note()).startsWith("withdrawn: taken back by ");
      assertThat(desk.read().task(TaskKind.CUTOVER)).isEmpty();

      desk.askRun(Way.FENCE, RunEnd.READY, GIVEN_UP);
      assertThatThrownBy(desk::takeBack)
          .isExactlyInstanceOf(MigrationException.CutoverRefused.class)
          .hasMessage("no cutover of collection files is asked for");
      desk.endAll("rollback follows");
      assertThat(task(TaskKind.RUN).note()).isEqualTo("withdrawn: rollback follows");
    }
  }

  @Test
  void look_stepAndCutoverOfARunThatWasEnded_areRefused() {
    verify();
    Aim run = Aim.ofRun(Way.DUAL_WRITE, RunEnd.FINAL, GIVEN_UP, Phase.LEGACY, 0);
    desk.askForRun(run, new Chain.Stage(TaskKind.STEP, Phase.SHADOW_WRITE), gate());
    lookUntil(TaskKind.STEP, "failed");
    assertThat(task(TaskKind.STEP).reason())
        .isEqualTo("collection files stays: the run that it belongs to was ended");

    desk.askForRun(run, new Chain.Stage(TaskKind.CUTOVER, null), gate());
    lookUntil(TaskKind.CUTOVER, "failed");
    assertThat(task(TaskKind.CUTOVER).reason()).endsWith("the run that it belongs to was ended");
    assertThat(gate().phase()).isEqualTo(Phase.LEGACY);
    assertThat(gate().fence()).isNull();
  }

  @Test
  void askForRun_whatItHasAskedForOrAnotherCommandHas_changesNothing() {
    Aim run = Aim.ofRun(Way.FENCE, RunEnd.FINAL, GIVEN_UP, Phase.LEGACY, 0);
    Chain.Stage cutover = new Chain.Stage(TaskKind.CUTOVER, null);
    desk.askForRun(run, cutover, gate());
    Ledger ledger = Ledger.of(plan, Clock.systemUTC());
    TaskRecord failed =
        ledger.updatePresent(
            TaskRecord.key(TaskKind.CUTOVER),
            found -> found.with(found.state().failedForGood(Failure.REFUSED, "not drained")));

    desk.askForRun(run, cutover, gate());
    assertThat(ledger.get(TaskRecord.key(TaskKind.CUTOVER))).isEqualTo(failed);

    desk.askCutover(Set.of(), List.of(), null);
    desk.askForRun(run, cutover, gate());
    assertThat(ledger.require(TaskRecord.key(TaskKind.CUTOVER)).aim().run()).isNull();
  }

  /**
   * Asks for a run, and has a host begin it that copies nothing, so that the run waits for that.
   */
  private HostedCollection beginRun(Way way, RunEnd end) {
    int lead = Math.floorMod("files".hashCode(), TaskGroup.PARTITIONS);
    Holder holder = Holder.ofProcess(Duration.ofSeconds(10));
    HostedCollection host = hosted(plan, holder, partition -> partition == lead);
    desk.askRun(way, end, GIVEN_UP);
    until(
        "the run waits for the copy",
        () -> {
          host.look();
          return task(TaskKind.RUN).note().contains(", copy; ");
        });
    return host;
  }

  private boolean hasEnded(HostedCollection host, TaskKind kind) {
    host.look();
    return task(kind).status().equals("done");
  }

  private HostedCollection hosted(MigrationPlan its, Holder holder, IntPredicate assigned) {
    HostPlan host = new HostPlan("test", List.of(its), HostPlan.DEFAULT_LEASE);
    return new HostedCollection(host, "files", holder, assigned, ALONE, ProgressListener.NONE);
  }

  private void verify() {
    desk.ask(TaskKind.LEAD);
    desk.ask(TaskKind.COPY);
    desk.ask(TaskKind.VERIFY);
    lookUntil(TaskKind.VERIFY, "done");
  }

  private void lookUntilReady(HostedCollection host) {
    until(
        "the cutover is ready",
        () -> {
          host.look();
          HostStatus.Task cutover = task(TaskKind.CUTOVER);
          return cutover.status().equals("wanted") && cutover.note().startsWith(TaskRecord.READY);
        });
  }

  /** Asks for the phase dual-write, whose step waits for a copy that nobody has asked for. */
  private void waitForTheCopy() {
    desk.askStep(Phase.DUAL_WRITE);
    until(
        "the step waits for the copy",
        () -> {
          collection.look();
          return desk.read().task(TaskKind.STEP).orElseThrow().note().contains("the copy is not");
        });
    assertThat(gate().phase()).isEqualTo(Phase.SHADOW_WRITE);
  }

  private Gate.State gate() {
    return join(join(source.open("files", LAYOUT, Claim.NONE)).gate().state());
  }

  /** Begins the next incarnation by hand, and forgets what was done for the former one. */
  private void startOver() {
    Ledger ledger =
        new Ledger(target.metadata(), "files", Duration.ofSeconds(10), Clock.systemUTC());
    Copy former = ledger.require(MigrationConfig.KEY).requireCopy();
    Copy next = Copy.draw(former.source());
    join(target.restart("files", LAYOUT, former, next));
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
