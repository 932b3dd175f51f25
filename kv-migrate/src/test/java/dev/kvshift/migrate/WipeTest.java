package dev.kvshift.migrate;

import static dev.kvshift.testkit.concurrent.Await.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.embedded.KafkaBroker;
import dev.kvshift.migrate.api.HostPlan;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.api.QuietPeriod;
import dev.kvshift.migrate.api.RetireReport;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.ledger.Certificate;
import dev.kvshift.migrate.internal.ledger.MigrationConfig;
import dev.kvshift.migrate.internal.ledger.Pause;
import dev.kvshift.migrate.internal.ledger.ResetRecord;
import dev.kvshift.migrate.internal.ledger.StreamProgress;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.ImportSettings;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.StalePhase;
import dev.kvshift.spi.StoreLocks;
import dev.kvshift.spi.Usage;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.Admin;
import org.junit.jupiter.api.Test;

/**
 * Resets, aborts and retirements: what they prove before they delete, and that they are resumed.
 */
final class WipeTest {
  private static final int ROWS = 50;
  private static final QuietPeriod NONE = QuietPeriod.of(Duration.ZERO);

  @Test
  void reset_copied_wipesItAndItIsCopiedAnew() throws Exception {
    try (Sides sides = Sides.sharded()) {
      sides.fill(ROWS);
      copy(sides.plan());
      MigrationConfig former = sides.ledger().require(MigrationConfig.KEY);

      List<String> deleted = wipes(sides).reset(Sides.COLLECTION);

      assertThat(deleted)
          .contains("topic " + former.topic().name(), "the records of progress")
          .contains("incarnation 1 of the collection on the target");
      until("its topic is gone", () -> !topics().contains(former.topic().name()));
      MigrationConfig now = sides.ledger().require(MigrationConfig.KEY);
      assertThat(now.incarnation()).isEqualTo(2);
      assertThat(now.copy()).isNotEqualTo(former.copy()).isEqualTo(sides.copy());
      assertThat(sides.ledger().get(StreamProgress.KEY)).isNull();
      assertThat(sides.ledger().get(Pause.KEY)).isNull();
      assertThat(Await.of(sides.to().get(Sides.key(1), Sides.call()))).isNull();
      try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
        migration.run();
      }
      assertThat(Await.of(sides.to().get(Sides.key(1), Sides.call()))).isNotNull();
    }
  }

  @Test
  void reset_killedAtAnyRequest_isCompletedByTheNext() {
    try (Sides sides = new Sides()) {
      sides.fill(ROWS);
      int completed = 0;
      for (int kill = 1; completed == 0; kill += 4) {
        copy(sides.plan());
        Copy former = sides.copy();
        AtomicInteger left = new AtomicInteger(kill);
        sides.to(
            (type, method, arguments, request) ->
                left.decrementAndGet() <= 0
                    ? CompletableFuture.failedFuture(new KvException.Permanent("killed"))
                    : request.send());
        HostedMigrations killed = wipes(sides);
        try {
          killed.reset(Sides.COLLECTION);
          completed = kill;
        } catch (KvException.Permanent e) {
          assertThat(e).hasMessageContaining("killed");
        }
        sides.to((type, method, arguments, request) -> request.send());
        boolean isWiped = !former.equals(sides.ledger().require(MigrationConfig.KEY).copy());
        boolean isBegun = !former.equals(copyOnTarget(sides));
        if (isBegun && !isWiped) {
          assertThatThrownBy(() -> copy(sides.plan()))
              .isInstanceOf(MigrationException.CutoverRefused.class)
              .hasMessageContaining("is being wiped, and that has not ended");
        }
        if (!isWiped || sides.ledger().get(ResetRecord.KEY) != null) {
          wipes(sides).reset(Sides.COLLECTION);
          assertThat(sides.ledger().get(Pause.KEY)).isNull();
        }
        assertThat(sides.copy()).isNotEqualTo(former);
        assertThat(sides.ledger().get(ResetRecord.KEY)).isNull();
        if (sides.ledger().get(Pause.KEY) != null) { // killed at its very end
          wipes(sides).resume(Sides.COLLECTION);
        }
      }
      assertThat(completed).isGreaterThan(20);
      copy(sides.plan());
      assertThat(Await.of(sides.to().get(Sides.key(1), Sides.call()))).isNotNull();
    }
  }

  @Test
  void reset_pausedByAPersonMeanwhile_staysPaused() {
    try (Sides sides = new Sides()) {
      sides.fill(ROWS);
      copy(sides.plan());
      sides.to(
          (type, method, arguments, request) -> {
            if (method.equals("drop")) {
              wipes(sides).pause(Sides.COLLECTION);
            }
            return request.send();
          });

      wipes(sides).reset(Sides.COLLECTION);
      assertThat(sides.ledger().get(Pause.KEY)).isNotNull();
      wipes(sides).resume(Sides.COLLECTION);
      assertThat(sides.ledger().get(Pause.KEY)).isNull();
    }
  }

  @Test
  void reset_anotherHasDoneItMeanwhile_leavesTheNextMigrationAlone() {
    for (String method : List.of("list", "restart", "drop")) {
      try (Sides sides = new Sides()) {
        sides.fill(ROWS);
        copy(sides.plan());
        Copy former = sides.copy();
        HostedMigrations other = wipes(sides);
        AtomicBoolean isFirst = new AtomicBoolean(true);
        sides.to(
            (type, name, arguments, request) -> {
              if (name.equals(method) && isFirst.compareAndSet(true, false)) {
                other.reset(Sides.COLLECTION);
                other.resume(Sides.COLLECTION);
                sides.to((a, b, c, sent) -> sent.send());
                copy(sides.plan());
              }
              return request.send();
            });

        assertThatThrownBy(() -> wipes(sides).reset(Sides.COLLECTION))
            .as(method)
            .hasMessageContaining("was wiped by another reset meanwhile");

        assertThat(sides.copy()).isNotEqualTo(former);
        assertThat(sides.ledger().get(ResetRecord.KEY)).isNull();
        assertThat(sides.ledger().get(StreamProgress.KEY)).as(method).isNotNull();
        assertThat(wipes(sides).reset(Sides.COLLECTION)).isNotEmpty();
      }
    }
  }

  @Test
  void reset_servicesUseTheTarget_isRefused() {
    try (Sides sides = new Sides()) {
      sides.fill(ROWS);
      copy(sides.plan());
      try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
        migration.step(Phase.SHADOW_WRITE);
      }

      assertRefused(sides, "services write to the target, too: it is in phase shadow-write");

      try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
        migration.step(Phase.SHADOW_READ);
        migration.verify();
        migration.step(Phase.NEW_READ);
      }
      assertRefused(sides, "reads have moved: it is in phase new-read");
      assertThat(Await.of(sides.to().get(Sides.key(1), Sides.call()))).isNotNull();
    }
  }

  @Test
  void reset_gateNamesAnotherCopy_isRefusedAndDeletesNothing() {
    try (Sides sides = new Sides()) {
      sides.fill(ROWS);
      copy(sides.plan());
      Gate gate = sides.from.gate();
      Gate.State state = Await.of(gate.state());
      Await.of(gate.compareAndSet(state, state.withCopy(Copy.draw("another"))));

      assertRefused(sides, "the copy that the source's gate names is ");
      assertThat(Await.of(sides.to().get(Sides.key(1), Sides.call()))).isNotNull();
      assertThat(sides.ledger().get(StreamProgress.KEY)).isNotNull();
    }
  }

  @Test
  void reset_topicWasMadeAnew_isRefusedAndDeletesNothing() throws Exception {
    try (Sides sides = new Sides()) {
      sides.fill(ROWS);
      copy(sides.plan());
      String topic = sides.ledger().require(MigrationConfig.KEY).topic().name();
      RemadeTopic.remake(topic, 4);
      assertThatThrownBy(() -> wipes(sides).reset(Sides.COLLECTION))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("was deleted and created again");
      assertThat(topics()).contains(topic);
      assertThat(Await.of(sides.to().get(Sides.key(1), Sides.call()))).isNotNull();
    }
  }

  @Test
  void abort_copied_isForgottenByTheSourceAndCanBeginAgain() {
    try (Sides sides = new Sides()) {
      sides.fill(ROWS);
      copy(sides.plan());

      wipes(sides).abort(Sides.COLLECTION);

      assertThat(Await.of(sides.from.gate().state()).copy()).isNull();
      assertThat(wipes(sides).status(Sides.COLLECTION).migration().stream()).isNull();
      copy(sides.plan());
      assertThat(Await.of(sides.to().get(Sides.key(1), Sides.call()))).isNotNull();
    }
  }

  @Test
  void retire_movedLongAgo_deletesTheTracesAndKeepsTheProof() throws Exception {
    try (Sides sides = new Sides()) {
      sides.fill(ROWS);
      HostedMigrations wipes = wipes(sides);
      copy(sides.plan());
      assertThatThrownBy(() -> wipes.retire(Sides.COLLECTION, NONE))
          .isInstanceOf(MigrationException.CutoverRefused.class)
          .hasMessageContaining("it is in phase legacy, and has not moved");
      String topic = sides.ledger().require(MigrationConfig.KEY).topic().name();
      try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
        migration.run();
      }
      assertThatThrownBy(() -> wipes.retire(Sides.COLLECTION, QuietPeriod.of(Duration.ofDays(14))))
          .isInstanceOf(MigrationException.CutoverRefused.class)
          .hasMessageContaining("and the quiet period lasts until ");
      assertThat(topics()).contains(topic);

      InstanceReport late =
          InstanceReport.of("i1", "late")
              .withUse(Sides.COLLECTION, InstanceReport.Use.acknowledging(0));
      Await.of(sides.source.report(late));
      assertThatThrownBy(() -> wipes.retire(Sides.COLLECTION, NONE))
          .isInstanceOf(MigrationException.CutoverRefused.class)
          .hasMessageContaining("somebody still asks the old store for it: ")
          .hasMessageContaining("late i1");
      assertThat(topics()).contains(topic);

      until("nobody asks the source any more", () -> isRetired(wipes));

      until(
          "its topics are gone", () -> topics().stream().noneMatch(name -> name.startsWith(topic)));
      assertThat(sides.ledger().get(StreamProgress.KEY)).isNull();
      assertThat(sides.ledger().get(Certificate.KEY)).isNotNull();
      assertThat(wipes.retire(Sides.COLLECTION, NONE).deleted())
          .contains("the records of progress");
      assertThat(Await.of(sides.to().get(Sides.key(1), Sides.call()))).isNotNull();
      assertRefused(sides, "it has moved, and the target alone has");
    }
  }

  @Test
  void retire_runDiedBetweenTheMoveAndItsRecord_isDone() {
    AtomicBoolean isKilled = new AtomicBoolean();
    try (Sides sides = new Sides()) {
      sides.fill(ROWS);
      sides.to(
          (type, method, arguments, request) ->
              method.equals("activate") && isKilled.compareAndSet(false, true)
                  ? CompletableFuture.failedFuture(new KvException.Permanent("killed"))
                  : request.send());
      try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
        assertThatThrownBy(migration::run).hasMessageContaining("killed");
      }
      try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
        migration.cutover();
        migration.cutover();
        assertThat(migration.status().events())
            .filteredOn(event -> event.contains("\"what\":\"moved\""))
            .hasSize(1);
      }
      until("nobody asks the source any more", () -> isRetired(wipes(sides)));
    }
  }

  @Test
  void retire_usedWithinTheQuietPeriod_namesTheClients() {
    QuietPeriod quiet = new QuietPeriod(Duration.ofSeconds(1), List.of("points"));
    try (Sides sides = new Sides()) {
      move(sides);
      StoreLocks locks = sides.source.locks("points");
      Set<Bytes> keys = Set.of(Bytes.utf8("k"));

      until(
          "the move is long enough ago",
          () -> {
            assertThatThrownBy(() -> Await.of(sides.from.get(Sides.key(1), Sides.call())))
                .isInstanceOf(StalePhase.class);
            return refusal(sides, quiet)
                .contains(
                    "is not retired: it was used at the old store within the quiet period, by a"
                        + " client in this process, last at ");
          });
      until(
          "its rows are left alone, and its locks are not",
          () -> {
            Await.of(locks.tryLockAll(keys, Duration.ofSeconds(1), Sides.call()));
            return refusal(sides, quiet)
                .contains("lock space points was used at the old store within the quiet period");
          });
      until("nobody uses it", () -> refusal(sides, quiet).isEmpty());
      assertThat(sides.ledger().get(StreamProgress.KEY)).isNull();
    }
  }

  @Test
  void retire_leaderThatCannotTell_isRefusedOrLeftToAPerson() {
    try (Sides sides = new Sides()) {
      move(sides);
      sides.from(
          (type, method, arguments, request) ->
              method.equals("usage")
                  ? CompletableFuture.completedFuture(Usage.of(Instant.now(), List.of()))
                  : request.send());
      assertThat(refusal(sides, QuietPeriod.of(Duration.ofMillis(1))))
          .contains("the old store remembers its clients since ", "--quiet-days");

      sides.from(
          new Intercepted.Fault() {
            @Override
            public CompletionStage<?> around(
                Class<?> type, String method, Object[] arguments, Intercepted.Request request) {
              return request.send();
            }

            @Override
            public Object answered(String method, Object answer) {
              return method.equals("capabilities")
                  ? EnumSet.complementOf(EnumSet.of(Capability.USAGE))
                  : answer;
            }
          });
      assertThat(wipes(sides).retire(Sides.COLLECTION, NONE).left())
          .containsExactly(
              "the old store does not remember its clients: make sure that nobody has used it for 0"
                  + " days");
    }
  }

  @Test
  void retire_settingsOfTheImport_areRestoredOrLeftToAPerson() {
    try (Sides sides = new Sides()) {
      move(sides);
      List<Object> dryRuns = new ArrayList<>();
      sides.to(
          (type, method, arguments, request) -> {
            if (method.equals("endImport")) {
              assertThat(arguments).startsWith(Sides.COLLECTION, 1L);
              dryRuns.add(arguments[2]);
              return CompletableFuture.completedFuture(
                  ImportSettings.restored("ALTER a").and(ImportSettings.left("ALTER b")));
            }
            return request.send();
          });
      for (RetireReport report :
          List.of(
              wipes(sides).previewRetire(Sides.COLLECTION, NONE),
              wipes(sides).retire(Sides.COLLECTION, NONE))) {
        assertThat(report.restored()).containsExactly("ALTER a");
        assertThat(report.left()).containsExactly("run on the new store: ALTER b;");
      }
      assertThat(dryRuns).containsExactly(true, false);
    }
  }

  private static void move(Sides sides) {
    sides.fill(ROWS);
    try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
      migration.run();
    }
  }

  /** Retires; returns why not, or nothing. */
  private static String refusal(Sides sides, QuietPeriod quiet) {
    try {
      wipes(sides).retire(Sides.COLLECTION, quiet);
      return "";
    } catch (MigrationException.CutoverRefused e) {
      return e.getMessage();
    }
  }

  private static boolean isRetired(HostedMigrations wipes) {
    try {
      wipes.retire(Sides.COLLECTION, NONE);
      return true;
    } catch (MigrationException.CutoverRefused e) {
      assertThat(e).hasMessageContaining("somebody still asks the old store for it: ");
      return false;
    }
  }

  private static void assertRefused(Sides sides, String why) {
    assertThatThrownBy(() -> wipes(sides).reset(Sides.COLLECTION))
        .isInstanceOf(MigrationException.CutoverRefused.class)
        .hasMessageContaining("is not wiped: " + why);
  }

  private static void copy(MigrationPlan plan) {
    try (Migration migration = Migration.of(plan, ProgressListener.NONE)) {
      migration.copy();
      migration.catchUp();
    }
  }

  private static Copy copyOnTarget(Sides sides) {
    return Await.of(CollectionRecord.read(sides.target.metadata(), Sides.COLLECTION)).copy();
  }

  private static HostedMigrations wipes(Sides sides) {
    return new HostedMigrations(
        new HostPlan("wipe", List.of(sides.plan()), HostPlan.DEFAULT_LEASE));
  }

  private static Admin admin() {
    return Admin.create(Map.of("bootstrap.servers", KafkaBroker.shared().bootstrapServers()));
  }

  private static Set<String> topics() {
    try (Admin admin = admin()) {
      return admin.listTopics().names().get();
    } catch (ExecutionException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
