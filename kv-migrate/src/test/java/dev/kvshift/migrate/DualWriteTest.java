package dev.kvshift.migrate;

import static dev.kvshift.testkit.concurrent.Await.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.embedded.KafkaBroker;
import dev.kvshift.migrate.api.CutoverReport;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.MigrationResult;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.api.Step;
import dev.kvshift.migrate.api.Way;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.ledger.Certificate;
import dev.kvshift.migrate.internal.ledger.CutoverRecord;
import dev.kvshift.migrate.internal.ledger.QuarantinedKey;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.VersionClock;
import dev.kvshift.testkit.oracle.RegisterHistory;
import dev.kvshift.transition.Coordinator;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The dual-write cutover by the runner, on stores in memory. */
final class DualWriteTest {
  private static final int ROWS = 200;

  private final Sides sides = new Sides();

  @AfterEach
  void close() {
    sides.close();
  }

  @Test
  void run_servicesWork_movesWithALinearizableHistory() {
    sides.fill(ROWS);
    RegisterHistory history = new RegisterHistory();
    AtomicBoolean ended = new AtomicBoolean();
    try (KvStore service =
        RealStoresTest.service(
            "orders", sides.sourceString(), sides.targetString(), sides.layout)) {
      KvCollection items = service.collection(Sides.COLLECTION, sides.layout);
      CompletableFuture<Void> client =
          CompletableFuture.runAsync(
              () -> history.run(items, new Random(7), ended::get),
              task -> new Thread(task).start());
      try (Migration migration = migration()) {
        MigrationResult result = migration.run(Way.DUAL_WRITE);
        assertThat(result.verify().differences()).isZero();
        assertThat(result.steps()).containsKeys(Step.PHASE, Step.CUTOVER);
        assertThat(Migration.verifyCertificate(result.certificate()).attempt()).isEqualTo("seal-5");
        int before = history.operations();
        until("the service goes on", () -> history.operations() > before + 200);
      } finally {
        ended.set(true);
        client.join();
      }
    }
    assertThat(history.failed()).isZero();
    assertThat(history.violations()).isEmpty();
    assertMoved();
  }

  @Test
  void steps_eachByARunOfItsOwn_move() {
    sides.fill(ROWS);
    List<Consumer<Migration>> runs =
        List.of(
            Migration::prepare,
            migration -> migration.step(Phase.SHADOW_WRITE),
            Migration::copy,
            migration -> migration.step(Phase.DUAL_WRITE),
            migration -> migration.step(Phase.SHADOW_READ),
            Migration::verify,
            migration -> migration.step(Phase.NEW_READ),
            migration -> migration.step(Phase.SHADOW_WRITE),
            migration -> migration.step(Phase.NEW_PRIMARY),
            migration -> migration.step(Phase.NEW_ONLY),
            Migration::cutover);
    for (Consumer<Migration> run : runs) {
      try (Migration migration = migration()) {
        run.accept(migration);
      }
    }
    assertMoved();
  }

  @ParameterizedTest
  @EnumSource(
      value = Phase.class,
      names = {"SHADOW_WRITE", "DUAL_WRITE", "SHADOW_READ", "NEW_READ", "NEW_PRIMARY"})
  void step_begunByARunThatDied_isCompleted(Phase begun) {
    sides.fill(ROWS);
    try (Migration migration = migration()) {
      migration.copy();
      migration.verify();
      Phase before = begun.towards(Phase.LEGACY);
      if (before != Phase.LEGACY) {
        migration.step(before);
      }
    }
    Gate.State now = state();
    assertThat(
            Await.of(
                sides
                    .from
                    .gate()
                    .compareAndSet(now, now.withEpoch(now.epoch() + 1).withPhase(begun))))
        .isTrue();
    try (Migration migration = migration()) {
      migration.step(begun);
      assertThat(state().acceptMin()).isEqualTo(now.epoch() + 1);
      migration.step(Phase.NEW_ONLY);
    }
    assertMoved();
  }

  @ParameterizedTest
  @EnumSource(
      value = Phase.class,
      names = {"LEGACY", "NEW_ONLY"},
      mode = EnumSource.Mode.EXCLUDE)
  void rollBack_fromEachPhase_needsTheSourceAlone(Phase phase) {
    sides.fill(ROWS);
    try (Migration migration = migration()) {
      migration.copy();
      migration.verify();
      migration.step(phase);
    }
    assertThat(
            Migration.rollBack(
                sides.source,
                Sides.COLLECTION,
                sides.layout,
                Coordinator.Hook.NONE,
                ProgressListener.NONE))
        .isEqualTo(phase);
    assertThat(state().phase()).isEqualTo(Phase.LEGACY);
    assertThat(state().acceptMin()).isEqualTo(state().epoch());
    try (Migration migration = migration()) {
      assertThat(migration.run().verify().differences()).isZero();
    }
    assertMoved();
  }

  @Test
  void rollBack_moved_isRefused() {
    sides.fill(ROWS);
    try (Migration migration = migration()) {
      migration.run(Way.DUAL_WRITE);
      assertThatThrownBy(() -> migration.step(Phase.NEW_PRIMARY))
          .isExactlyInstanceOf(MigrationException.CutoverRefused.class)
          .hasMessageContaining("there is no way back from NEW_ONLY");
    }
  }

  @Test
  void step_backWhileTheTargetFails_isTaken() {
    sides.fill(ROWS);
    try (Migration migration = migration()) {
      migration.copy();
      migration.step(Phase.SHADOW_READ);
    }
    Intercepted.Fault down =
        (type, method, arguments, request) ->
            CompletableFuture.failedFuture(new KvException.Permanent("down"));
    try (Migration migration = Migration.of(sides.to(down).plan(), ProgressListener.NONE)) {
      migration.step(Phase.LEGACY);
    }
    assertThat(state().phase()).isEqualTo(Phase.LEGACY);
  }

  @Test
  void step_copyNotDone_waitsAndSaysSo() {
    sides.fill(ROWS);
    List<String> notes = new CopyOnWriteArrayList<>();
    try (Migration migration =
        Migration.of(
            sides.plan(KafkaBroker.shared(), impatient()),
            event -> {
              if (event.note() != null) {
                notes.add(event.note());
              }
            })) {
      assertThatThrownBy(() -> migration.step(Phase.DUAL_WRITE))
          .isExactlyInstanceOf(KvException.Transient.class)
          .hasMessageContaining("the step into DUAL_WRITE waits: the copy is not done");
    }
    assertThat(state().phase()).isEqualTo(Phase.SHADOW_WRITE);
    assertThat(notes)
        .contains(
            "collection files enters phase SHADOW_WRITE, epoch 1",
            "collection files: the step into DUAL_WRITE waits: the copy is not done, which the"
                + " command copy does");
  }

  @Test
  void step_notCompared_isRefused() {
    sides.fill(ROWS);
    try (Migration migration = migration()) {
      migration.copy();
      migration.step(Phase.SHADOW_READ);
      assertRefused(() -> migration.step(Phase.NEW_READ), "was not compared");
      assertThat(state().phase()).isEqualTo(Phase.SHADOW_READ);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Phase.class,
      names = {"NEW_READ", "NEW_PRIMARY", "NEW_ONLY"})
  void step_keyInQuarantine_isRefused(Phase phase) {
    sides.fill(ROWS);
    try (Migration migration = migration()) {
      migration.copy();
      migration.verify();
      Phase before = phase.towards(Phase.LEGACY);
      migration.step(before);
      sides
          .ledger()
          .put(QuarantinedKey.ALL.in("d5cd"), new QuarantinedKey(5, "too large", 1, null, 0));
      assertRefused(() -> migration.step(phase), "1 keys are quarantined");
      assertThat(state().phase()).isEqualTo(before);
    }
  }

  @Test
  void step_keyThatDiffersSinceTheComparison_isRefused() {
    sides.fill(ROWS);
    try (Migration migration = migration()) {
      migration.copy();
      migration.verify();
      migration.step(Phase.NEW_READ);
      Mutation foreign =
          Mutation.put(Bytes.utf8("foreign"))
              .withVersion(VersionClock.micros(Instant.now().plusSeconds(60)));
      Await.of(sides.to().write(Sides.key(3), foreign, Sides.call()));
      put("hidden by the foreign write");
      assertThatThrownBy(() -> migration.step(Phase.NEW_PRIMARY))
          .isInstanceOf(MigrationException.Mismatch.class);
      assertThat(state().phase()).isEqualTo(Phase.NEW_READ);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Phase.class,
      names = {"SHADOW_WRITE", "DUAL_WRITE", "SHADOW_READ", "NEW_READ"})
  void cutover_betweenTheWays_isRefused(Phase phase) {
    sides.fill(ROWS);
    try (Migration migration = migration()) {
      migration.copy();
      migration.verify();
      migration.step(phase);
      assertRefused(migration::cutover, "is in phase " + phase);
    }
    try (Migration migration = migration()) {
      assertRefused(migration::run, "is in phase " + phase + " of the dual-write cutover");
    }
    assertThat(state().phase()).isEqualTo(phase);
  }

  @ParameterizedTest
  @ValueSource(strings = {"seal", "activate"})
  void cutover_afterADeathAroundTheSeal_isCompletedByTheNextRun(String method) {
    for (boolean sent : new boolean[] {false, true}) {
      try (Sides own = new Sides()) {
        own.fill(ROWS);
        try (Migration migration = Migration.of(own.plan(), ProgressListener.NONE)) {
          migration.copy();
          migration.verify();
          migration.step(Phase.NEW_PRIMARY);
        }
        Intercepted.Fault cut = new CutAt(method, sent);
        try (Migration migration =
            Migration.of(own.from(cut).to(cut).plan(), ProgressListener.NONE)) {
          assertThatThrownBy(migration::cutover).hasMessageContaining("cut off");
        }
        Intercepted.Fault none = (type, name, arguments, request) -> request.send();
        try (Migration migration =
            Migration.of(own.from(none).to(none).plan(), ProgressListener.NONE)) {
          CutoverReport report = migration.cutover();
          assertThat(report.attempt()).isEqualTo("seal-5");
          assertThat(Migration.verifyCertificate(migration.certificate()).floor())
              .isEqualTo(report.floor());
        }
        assertThat(record(own).state()).isEqualTo(CollectionRecord.State.ACTIVE);
      }
    }
  }

  /** Writes that no service has acknowledged are on the source alone, until they are drained. */
  @Test
  void cutover_sealedBeforeEverythingWasApplied_drainsFirst() {
    sides.fill(ROWS);
    Intercepted.Fault late =
        (type, method, arguments, request) -> {
          if (method.equals("seal")) {
            put("last");
          }
          return request.send();
        };
    try (Migration migration = Migration.of(sides.from(late).plan(), ProgressListener.NONE)) {
      migration.copy();
      migration.verify();
      migration.step(Phase.NEW_ONLY);
    }
    assertMoved();
    assertThat(Await.of(sides.to().get(Sides.key(3), Sides.call())).value())
        .isEqualTo(Bytes.utf8("last"));
  }

  /** Without the new store's record, only the certificate tells that the seal was not drained. */
  @Test
  void cutover_withAWayBackAndADeathAfterTheSeal_drainsFirst() {
    sides.fill(ROWS);
    Intercepted.Fault cut = new CutAt("seal", true);
    Intercepted.Fault late =
        (type, method, arguments, request) -> {
          if (method.equals("seal")) {
            put("last");
          }
          return cut.around(type, method, arguments, request);
        };
    try (Migration migration = migration()) {
      migration.keepWayBack();
      migration.copy();
      migration.verify();
      migration.step(Phase.NEW_PRIMARY);
    }
    try (Migration migration = Migration.of(sides.from(late).plan(), ProgressListener.NONE)) {
      assertThatThrownBy(migration::cutover).hasMessageContaining("cut off");
    }
    assertThat(state().isClockOrdered()).isTrue();
    Intercepted.Fault none = (type, name, arguments, request) -> request.send();
    sides.from(none);
    for (int run = 0; run < 2; run++) {
      try (Migration migration = migration()) {
        CutoverReport report = migration.cutover();
        assertThat(report.attempt()).isEqualTo("seal-5");
        assertThat(report.floor()).isEqualTo(state().floor());
        assertThat(Migration.verifyCertificate(migration.certificate()).floor())
            .isEqualTo(state().floor());
      }
    }
    assertThat(Await.of(sides.to().get(Sides.key(3), Sides.call())).value())
        .isEqualTo(Bytes.utf8("last"));
    assertThat(sides.ledger().require(CutoverRecord.KEY).moved()).isNotNull();
  }

  @Test
  void run_rolledBackByAnotherMeanwhile_staysBack() {
    AtomicBoolean isFirst = new AtomicBoolean(true);
    Coordinator.Hook back =
        new Coordinator.Hook() {
          @Override
          public void before(Phase from, Phase to) {
            if (from == Phase.SHADOW_WRITE && isFirst.compareAndSet(true, false)) {
              Coordinator.of(Sides.COLLECTION, sides.from.gate())
                  .moveTo(Phase.LEGACY, Duration.ofSeconds(10));
            }
          }

          @Override
          public void after(Phase from, Phase to) {}
        };
    sides.fill(ROWS);
    MigrationPlan plan = sides.plan();
    MigrationPlan hooked =
        plan.toBuilder().options(plan.options().toBuilder().hook(back).build()).build();
    try (Migration migration = Migration.of(hooked, ProgressListener.NONE)) {
      assertRefused(
          () -> migration.run(Way.DUAL_WRITE),
          "somebody has taken it another way since, to phase legacy");
    }
    assertThat(state().phase()).isEqualTo(Phase.LEGACY);
    assertThat(isFirst).isFalse();
  }

  @Test
  void cutover_sealedByAnotherHand_isNotActivated() {
    sides.fill(ROWS);
    try (Migration migration = migration()) {
      migration.copy();
      migration.verify();
      migration.step(Phase.NEW_PRIMARY);
    }
    Await.of(sides.from.gate().seal(state().epoch()));
    try (Migration migration = migration()) {
      assertRefused(migration::cutover, "was sealed in epoch 5 without a certificate");
    }
    assertThat(record(sides).state()).isEqualTo(CollectionRecord.State.IMPORTING);
  }

  @Test
  void cutover_certificateOfAnEarlierEpoch_isNotEnough() {
    sides.fill(ROWS);
    Intercepted.Fault cut = new CutAt("seal", false);
    try (Migration migration = migration()) {
      migration.copy();
      migration.verify();
      migration.step(Phase.NEW_PRIMARY);
    }
    try (Migration migration = Migration.of(sides.from(cut).plan(), ProgressListener.NONE)) {
      assertThatThrownBy(migration::cutover).hasMessageContaining("cut off");
    }
    assertThat(sides.ledger().require(Certificate.KEY).last())
        .isInstanceOf(Certificate.SealCheck.class);
    Intercepted.Fault none = (type, name, arguments, request) -> request.send();
    try (Migration migration = Migration.of(sides.from(none).plan(), ProgressListener.NONE)) {
      migration.step(Phase.NEW_READ);
      migration.step(Phase.NEW_PRIMARY);
    }
    Await.of(sides.from.gate().seal(state().epoch()));
    try (Migration migration = migration()) {
      assertRefused(migration::cutover, "was sealed in epoch 7 without a certificate");
    }
  }

  /** Cuts the runner off at the first request of a method. */
  private static final class CutAt implements Intercepted.Fault {
    private final String method;
    private final boolean sent;
    private volatile boolean cut;

    CutAt(String method, boolean sent) {
      this.method = method;
      this.sent = sent;
    }

    @Override
    public CompletionStage<?> around(
        Class<?> type, String name, Object[] arguments, Intercepted.Request request) {
      if (!cut && name.equals(method)) {
        cut = true;
        if (sent) {
          request.send();
        }
      }
      return cut
          ? CompletableFuture.failedFuture(new KvException.Permanent("cut off"))
          : request.send();
    }
  }

  /** Writes to the source alone, as a service whose write to the target is cut. */
  private void put(String value) {
    Call call = Sides.call().withEpoch(state().epoch());
    Await.of(sides.from.write(Sides.key(3), Mutation.put(Bytes.utf8(value)), call));
  }

  private static void assertRefused(ThrowingCallable call, String why) {
    assertThatThrownBy(call)
        .isExactlyInstanceOf(MigrationException.CutoverRefused.class)
        .hasMessageContaining(why);
  }

  private void assertMoved() {
    assertThat(state().phase()).isEqualTo(Phase.NEW_ONLY);
    assertThat(record(sides).state()).isEqualTo(CollectionRecord.State.ACTIVE);
    assertThat(record(sides).floor()).isEqualTo(state().floor());
  }

  private static CollectionRecord record(Sides of) {
    return Await.of(CollectionRecord.read(of.target.metadata(), Sides.COLLECTION));
  }

  private Gate.State state() {
    return Await.of(sides.from.gate().state());
  }

  private Migration migration() {
    return Migration.of(sides.plan(), ProgressListener.NONE);
  }

  private static MigrationOptions impatient() {
    return MigrationOptions.builder()
        .topicPartitions(4)
        .patience(Duration.ofMillis(500))
        .dwell(Duration.ZERO)
        .build();
  }
}
