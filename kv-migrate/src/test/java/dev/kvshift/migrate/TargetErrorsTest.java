package dev.kvshift.migrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.api.Difference;
import dev.kvshift.migrate.api.Difference.Kind;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.api.RepairReport;
import dev.kvshift.migrate.api.RepairReport.LeftKey;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreCollection;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** An error of the target says nothing about a row: the run ends, and resumes once it is fixed. */
final class TargetErrorsTest {
  private static final String MESSAGE = "role kvshift has no permission on table files: grant it";

  /** The method of the target's collection that is refused, or empty. */
  private volatile String refused = "";

  private final Refusing refusing = Refusing.key(Sides.key(7));

  TargetErrorsTest() {
    refusing.turn(false);
  }

  @ParameterizedTest
  @ValueSource(strings = {"write", "scan", "scanTasks"})
  void run_targetRefusesRequests_endsWithItsErrorAndResumes(String method) {
    try (Sides sides = sides()) {
      sides.fill(200);
      refused = method;
      try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
        assertThatThrownBy(migration::run).satisfies(TargetErrorsTest::assertNamesTheError);
        assertUntouched(sides, migration, 0);
      }
      refused = "";
      assertMoves(sides);
    }
  }

  @Test
  void apply_targetRefusesWrites_endsWithItsErrorAndResumes() {
    try (Sides sides = sides()) {
      sides.fill(200);
      try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
        migration.copy();
        refused = "write";
        sides.put(Sides.key(1), "later");
        assertThatThrownBy(migration::catchUp).satisfies(TargetErrorsTest::assertNamesTheError);
        assertUntouched(sides, migration, 0);
      }
      refused = "";
      assertMoves(sides);
    }
  }

  @Test
  void cutover_undeliveredDeleteUnreadable_keepsItsQuarantine() {
    try (Sides sides = sides()) {
      sides.fill(200);
      try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
        migration.copy();
        assertThat(migration.verify().differences()).isZero();
        refusing.turn(true);
        refused = "get";
        sides.delete(Sides.key(7));
        migration.catchUp();
        refusing.turn(false);

        assertThatThrownBy(migration::cutover).satisfies(TargetErrorsTest::assertNamesTheError);
        assertUntouched(sides, migration, 1);
      }
      refused = "";
      try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
        assertThatThrownBy(migration::run).isInstanceOf(MigrationException.Mismatch.class);
        sides.delete(Sides.key(7));
      }
      assertMoves(sides);
      assertThat(Await.of(sides.to().get(Sides.key(7), Sides.call())).isTombstone()).isTrue();
    }
  }

  @Test
  void repair_rowThatTheTargetCanNeverHold_isLeftAtItsVersion() {
    try (Sides sides = sides()) {
      sides.fill(200);
      refusing.turn(true);
      try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
        migration.copy();
        Row before = Await.of(sides.from.get(Sides.key(7), Sides.call()));

        RepairReport repaired = migration.repair();

        Difference missing =
            new Difference(
                Sides.key(7),
                Kind.MISSING,
                OptionalLong.of(before.version()),
                OptionalLong.empty());
        assertThat(repaired)
            .isEqualTo(
                new RepairReport(
                    0,
                    0,
                    1,
                    List.of(
                        new LeftKey(
                            missing, "the target can never hold its row, which is quarantined"))));
        assertThat(Await.of(sides.from.get(Sides.key(7), Sides.call()))).isEqualTo(before);
        assertThat(migration.status().quarantine().keys()).isEqualTo(1);
      }
    }
  }

  @Test
  @Timeout(value = 1, unit = TimeUnit.MINUTES)
  void run_driverLacksAClass_ends() {
    try (Sides sides = new Sides()) {
      sides.fill(10);
      NoClassDefFoundError missing = new NoClassDefFoundError("com/example/Codec");
      sides.to(
          Intercepted.late(
              (type, method, arguments, request) ->
                  method.equals("write")
                      ? CompletableFuture.failedFuture(missing)
                      : request.send()));
      try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
        assertThatThrownBy(migration::run).isSameAs(missing);
      }
    }
  }

  /** Returns sides whose target answers late, and refuses requests as the fields say. */
  private Sides sides() {
    return new Sides()
        .to(
            Intercepted.late(
                new Intercepted.Fault() {
                  @Override
                  public void local(String method, Object[] arguments) {
                    refusing.local(method, arguments);
                    if (method.equals("token") && refused.equals("token")) {
                      throw new KvException.Permanent(MESSAGE);
                    }
                  }

                  @Override
                  public CompletionStage<?> around(
                      Class<?> type,
                      String method,
                      Object[] arguments,
                      Intercepted.Request request) {
                    return type == StoreCollection.class && method.equals(refused)
                        ? CompletableFuture.failedFuture(new KvException.Permanent(MESSAGE))
                        : refusing.around(type, method, arguments, request);
                  }
                }));
  }

  private static void assertNamesTheError(Throwable failure) {
    assertThat(failure).isInstanceOf(KvException.Permanent.class).hasMessageContaining(MESSAGE);
  }

  private static void assertUntouched(Sides sides, Migration migration, int quarantined) {
    assertThat(migration.status().quarantine().keys()).isEqualTo(quarantined);
    assertThat(Await.of(sides.from.gate().state()).phase()).isEqualTo(Phase.LEGACY);
    assertThat(Await.of(sides.from.gate().state()).fence()).isNull();
  }

  private static void assertMoves(Sides sides) {
    try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
      assertThat(migration.run().verify().differences()).isZero();
      assertThat(migration.status().quarantine().keys()).isZero();
    }
  }
}
