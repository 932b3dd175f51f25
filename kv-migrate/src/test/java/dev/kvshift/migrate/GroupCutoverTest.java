package dev.kvshift.migrate;

import static dev.kvshift.testkit.concurrent.Await.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.KvException;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.migrate.api.CutoverReport;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.ledger.CutoverRecord;
import dev.kvshift.migrate.internal.ledger.Postponed;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Store;
import dev.kvshift.transition.MetadataGate;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Two collections that are fenced and moved together, and cutovers that wait. */
final class GroupCutoverTest {
  private final Store source = MemoryStoreProvider.open(UUID.randomUUID().toString());
  private final Store target = MemoryStoreProvider.open(UUID.randomUUID().toString());
  private final Sides files = new Sides("files", Sides.LAYOUT, source, target);
  private final Sides users = new Sides("users", Sides.LAYOUT, source, target);

  @AfterEach
  void close() {
    source.close();
    target.close();
  }

  @Test
  void cutoverAll_twoVerified_movesBothUnderOneFence() {
    try (Migration one = verified(files);
        Migration other = verified(users)) {
      List<CutoverReport> reports = Migration.cutoverAll(List.of(one, other));

      assertThat(reports).hasSize(2);
      assertThat(reports.get(0).attempt()).isEqualTo(reports.get(1).attempt());
      assertMoved(files, reports.get(0).floor());
      assertMoved(users, reports.get(1).floor());
      assertThat(one.certificate()).contains("\"collection\":\"files\"");
      assertThat(other.certificate()).contains("\"collection\":\"users\"");
    }
  }

  @Test
  void cutoverAll_oneIsNotVerified_movesAndFencesNone() {
    users.fill(3);
    try (Migration one = verified(files);
        Migration other = Migration.of(users.plan(), ProgressListener.NONE)) {
      other.copy();

      assertThatThrownBy(() -> Migration.cutoverAll(List.of(one, other)))
          .isInstanceOf(MigrationException.CutoverRefused.class)
          .hasMessage("collection users was not compared: verify first");
      assertStays(files);
      assertStays(users);
    }
  }

  @Test
  void cutoverAll_oneFenceFails_liftsTheOther() {
    users.from(
        (type, method, arguments, request) ->
            method.equals("fence")
                ? CompletableFuture.failedFuture(new KvException.Permanent("no fence"))
                : request.send());
    try (Migration one = verified(files);
        Migration other = verified(users)) {
      assertThatThrownBy(() -> Migration.cutoverAll(List.of(one, other)))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("no fence");
      assertStays(files);
      assertStays(users);
    }
  }

  @Test
  void cutoverAll_outcomeOfTheMoveIsUnknown_isResolvedByTheGates() {
    AtomicInteger moves = new AtomicInteger();
    files.from(
        (type, method, arguments, request) -> {
          if (method.equals("moveAll") && moves.incrementAndGet() == 1) {
            return request
                .send()
                .thenCompose(
                    moved ->
                        CompletableFuture.failedFuture(new KvException.UnknownOutcome("lost")));
          }
          return request.send();
        });
    try (Migration one = verified(files);
        Migration other = verified(users)) {
      List<CutoverReport> reports = Migration.cutoverAll(List.of(one, other));

      assertThat(moves).hasValue(2);
      assertMoved(files, reports.get(0).floor());
      assertMoved(users, reports.get(1).floor());
    }
  }

  @Test
  void cutoverAll_killedAfterTheMove_isCompletedByTheNextRun() {
    AtomicBoolean isKilled = new AtomicBoolean();
    files.to(
        (type, method, arguments, request) ->
            method.equals("activate") && isKilled.compareAndSet(false, true)
                ? CompletableFuture.failedFuture(new KvException.Permanent("killed"))
                : request.send());
    try (Migration one = verified(files);
        Migration other = verified(users)) {
      assertThatThrownBy(() -> Migration.cutoverAll(List.of(one, other)))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("killed");
    }
    try (Migration one = Migration.of(files.plan(), ProgressListener.NONE);
        Migration other = Migration.of(users.plan(), ProgressListener.NONE)) {
      List<CutoverReport> reports = Migration.cutoverAll(List.of(one, other));

      assertThat(reports).extracting(CutoverReport::attempts).containsExactly(0, 0);
      assertMoved(files, reports.get(0).floor());
      assertMoved(users, reports.get(1).floor());
    }
  }

  @Test
  void cutoverAll_withAWayBackAndKilledAfterTheMove_isCompletedAndEachGoesItsWay() {
    AtomicBoolean isKilled = new AtomicBoolean();
    files.to(
        (type, method, arguments, request) ->
            method.equals("compareAndSet")
                    && arguments[0].equals("gate/files")
                    && isKilled.compareAndSet(false, true)
                ? CompletableFuture.failedFuture(new KvException.Permanent("killed"))
                : request.send());
    try (Migration one = verified(files);
        Migration other = verified(users)) {
      one.keepWayBack();
      other.keepWayBack();
      assertThatThrownBy(() -> Migration.cutoverAll(List.of(one, other)))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("killed");
    }
    try (Migration one = Migration.of(files.plan(), ProgressListener.NONE);
        Migration other = Migration.of(users.plan(), ProgressListener.NONE)) {
      List<CutoverReport> reports = Migration.cutoverAll(List.of(one, other));

      assertThat(reports).extracting(CutoverReport::attempts).containsExactly(0, 0);
      for (Sides sides : List.of(files, users)) {
        Gate.State state = Await.of(sides.from.gate().state());
        assertThat(state.isClockOrdered()).isTrue();
        assertThat(state.phase()).isEqualTo(Phase.NEW_PRIMARY);
        assertThat(Await.of(MetadataGate.of(target, sides.plan().collection()).state()).floor())
            .isEqualTo(state.floor());
      }
      one.endWayBack();
      assertThat(Objects.requireNonNull(other.goBack()).rows()).isEqualTo(100);
      assertMoved(files, reports.get(0).floor());
      assertThat(Await.of(users.from.gate().state()).phase()).isEqualTo(Phase.LEGACY);
      assertThat(other.rollbackCertificate()).contains("\"collection\":\"users\"");
    }
  }

  @Test
  void cutoverAll_oneKeepsAWayBackAndOneNot_movesAndFencesNone() {
    try (Migration one = verified(files);
        Migration other = verified(users)) {
      one.keepWayBack();

      assertThatThrownBy(() -> Migration.cutoverAll(List.of(one, other)))
          .isInstanceOf(MigrationException.CutoverRefused.class)
          .hasMessageContaining("some would keep a way back and others not");
      assertStays(files);
      assertStays(users);
    }
  }

  @Test
  void awaitGo_untilLet_waitsReadyAndMovesThen() throws Exception {
    try (Migration waiting = verified(files);
        Migration person = Migration.of(files.plan(), ProgressListener.NONE)) {
      assertThatThrownBy(person::letGo)
          .isInstanceOf(MigrationException.CutoverRefused.class)
          .hasMessageContaining("no cutover of collection files waits");
      waiting.postpone(null);
      CompletableFuture<CutoverReport> moved =
          CompletableFuture.supplyAsync(
              () -> {
                waiting.awaitGo();
                return waiting.cutover();
              });
      files.put(Sides.key(1), "written while it waits");
      assertStays(files);
      assertThat(moved).isNotDone();

      person.letGo();

      until("it has moved", moved::isDone);
      assertMoved(files, moved.get().floor());
      assertThat(files.ledger().get(Postponed.KEY)).isNull();
    }
  }

  @Test
  void awaitGo_timeHasCome_goesOnByItself() {
    try (Migration waiting = verified(files)) {
      waiting.postpone(Instant.now().minusSeconds(1));
      waiting.awaitGo();
      assertMoved(files, waiting.cutover().floor());
    }
  }

  @Test
  void postpone_notVerified_isRefused() {
    files.fill(3);
    try (Migration waiting = Migration.of(files.plan(), ProgressListener.NONE)) {
      waiting.copy();
      assertThatThrownBy(() -> waiting.postpone(null))
          .isInstanceOf(MigrationException.CutoverRefused.class)
          .hasMessage("collection files was not compared: verify first");
    }
  }

  private static Migration verified(Sides sides) {
    sides.fill(50);
    Migration migration = Migration.of(sides.plan(), ProgressListener.NONE);
    migration.copy();
    migration.catchUp();
    assertThat(migration.verify().differences()).isZero();
    return migration;
  }

  private static void assertStays(Sides sides) {
    Gate.State state = Await.of(sides.from.gate().state());
    assertThat(state.phase()).isEqualTo(Phase.LEGACY);
    assertThat(state.fence()).isNull();
    assertThat(record(sides).state()).isEqualTo(CollectionRecord.State.IMPORTING);
  }

  private static void assertMoved(Sides sides, long floor) {
    Gate.State state = Await.of(sides.from.gate().state());
    assertThat(state.phase()).isEqualTo(Phase.NEW_ONLY);
    assertThat(state.floor()).isEqualTo(floor);
    assertThat(record(sides).isHandedOver()).isTrue();
    assertThat(record(sides).floor()).isEqualTo(floor);
    assertThat(sides.ledger().require(CutoverRecord.KEY).attempt()).isNotEmpty();
  }

  private static CollectionRecord record(Sides sides) {
    return Await.of(CollectionRecord.read(sides.target.metadata(), sides.plan().collection()));
  }
}
