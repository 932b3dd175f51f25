package dev.kvshift.migrate.cli;

import static dev.kvshift.testkit.concurrent.Await.join;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Lock;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.testkit.fixture.TestCopy;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class MoveLocksCommandTest {
  private static final Layout LAYOUT = Layout.point();
  private static final Set<Bytes> KEY = Set.of(Bytes.utf8("k"));

  private final String name = UUID.randomUUID().toString();
  @TempDir private Path folder;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private final Store from = MemoryStoreProvider.open(name + "-old");
  private final Store to = MemoryStoreProvider.open(name + "-new");

  @AfterEach
  void close() {
    from.close();
    to.close();
  }

  private int execute(String... arguments) {
    return MigrateCommand.commandLine()
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(arguments);
  }

  private int moveLocks() {
    return execute(
        "move-locks", "points", "--config=" + configuration(), "--patience-seconds", "1");
  }

  private Path configuration() {
    try {
      return Files.writeString(
          folder.resolve("test.yaml"),
          """
          source: memory://NAME-old
          target: memory://NAME-new
          kafka: {bootstrap: 'h:1'}
          collections: [{name: files, layout: 'point;shard=none;encoding=1'}]
          """
              .replace("NAME", name));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void moveRows() {
    StoreCollection files = join(from.open("files", LAYOUT, Claim.ACTIVE));
    join(
        files.write(
            StoreKey.of(Bytes.utf8("k"), Bytes.empty()), Mutation.put(Bytes.utf8("v")), call()));
    Copy copy = TestCopy.announce(files);
    join(to.open("files", LAYOUT, Claim.importing(copy)));
    Gate gate = files.gate();
    join(gate.fence("a", FenceOptions.lasting(Duration.ofSeconds(30))));
    join(to.activate("files", copy, join(gate.move("a")).floor()));
  }

  private Lock take(Store store) {
    return join(store.locks("points").tryLockAll(KEY, Duration.ofMinutes(1), call()))
        .acquired()
        .iterator()
        .next();
  }

  private static Call call() {
    return Call.within(Duration.ofSeconds(10));
  }

  @Test
  void moveLocks_rowsNotMoved_isRefused() {
    assertThat(moveLocks()).isEqualTo(ExitCode.REFUSED);
    assertThat(err.toString()).contains("locks move last");
  }

  @Test
  void moveLocks_lockHeld_isWorthAnotherTry() {
    moveRows();
    Lock held = take(from);
    assertThat(moveLocks()).isEqualTo(ExitCode.UNAVAILABLE);
    assertThat(err.toString()).contains("1 locks are held").contains("the fence is lifted");
    join(from.locks("points").release(held, call()));
    assertThat(moveLocks()).isEqualTo(ExitCode.OK);
    long floor = join(join(from.locks("points").gate()).state()).floor();
    assertThat(out.toString().lines())
        .containsExactly("lock space points: moved, tokens begin above " + floor);
    assertThat(take(to).token()).isGreaterThan(floor);
    assertThat(moveLocks()).isEqualTo(ExitCode.OK);
  }

  @Test
  void moveLocks_instanceNotReady_isRefused() {
    moveRows();
    join(join(from.locks("points").gate()).state());
    join(
        from.report(
            InstanceReport.of("one", "orders")
                .withNewestPhase(Phase.NEW_ONLY)
                .withUse("locks:points", InstanceReport.Use.acknowledging(0))));
    assertThat(moveLocks()).isEqualTo(ExitCode.REFUSED);
    assertThat(err.toString()).contains("orders (one)");
  }

  @Test
  void fleet_lockSpace_showsWhoHoldsLocks() {
    join(join(from.locks("points").gate()).state());
    join(
        from.report(
            InstanceReport.of("one", "orders")
                .withNewestPhase(Phase.NEW_ONLY)
                .withUse("locks:points", InstanceReport.Use.acknowledging(0).withHeldLocks(3))));
    assertThat(execute("fleet", "locks:points", "--config=" + configuration()))
        .isEqualTo(ExitCode.OK);
    assertThat(out.toString().lines())
        .containsExactly(
            "locks:points: phase legacy, epoch 0; 1 of 1 processes ready for the next step",
            "orders one: epoch 0, holds 3 lock(s)");
  }
}
