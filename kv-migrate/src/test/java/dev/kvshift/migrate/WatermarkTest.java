package dev.kvshift.migrate;

import static dev.kvshift.testkit.concurrent.Await.until;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.spi.Row;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** W, the applied version that the runner publishes at the source's gate. */
final class WatermarkTest {
  @Test
  void applied_copyDoneAndChangesApplied_isTheLastVersion() {
    try (Sides sides = new Sides().from(Intercepted.late((type, method, args, r) -> r.send()));
        Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
      sides.fill(100);
      migration.copy();
      sides.put(Sides.key(5), "later");
      sides.put(Sides.key(6), "last");

      Row last = Await.of(sides.from.get(Sides.key(6), Sides.call()));
      assertThat(last).isNotNull();
      until("W is published", () -> applied(sides) == last.version());

      sides.delete(Sides.key(7));
      Row deleted = Await.of(sides.from.get(Sides.key(7), Sides.call()));
      assertThat(deleted).isNotNull();
      until("W follows", () -> applied(sides) == deleted.version());
    }
  }

  @Test
  void applied_afterARestart_isTheLastVersionOfTheRunsBefore() {
    AtomicBoolean isLost = new AtomicBoolean(true);
    Intercepted.Fault lost =
        (type, method, args, request) ->
            method.equals("applied") && isLost.get()
                ? CompletableFuture.completedFuture(null)
                : request.send();
    try (Sides sides = new Sides().from(lost)) {
      sides.fill(100);
      try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
        migration.copy();
        sides.put(Sides.key(6), "last");
        migration.catchUp();
      }
      Row last = Await.of(sides.from.get(Sides.key(6), Sides.call()));
      assertThat(last).isNotNull();
      assertThat(applied(sides)).isZero();
      isLost.set(false);
      try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
        migration.start();
        until("W is published", () -> applied(sides) == last.version());
      }
    }
  }

  @Test
  void applied_notCopiedYet_isNone() {
    try (Sides sides = new Sides();
        Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
      sides.fill(100);
      migration.start();
      sides.put(Sides.key(5), "later");
      migration.catchUp();
      assertThat(applied(sides)).as("older rows are not on the target").isZero();

      migration.copy();
      until("W is published once the copy is done", () -> applied(sides) > 0);
    }
  }

  private static long applied(Sides sides) {
    return Await.of(sides.from.gate().state()).applied();
  }
}
