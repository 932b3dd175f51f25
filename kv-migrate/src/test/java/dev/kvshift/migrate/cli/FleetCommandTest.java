package dev.kvshift.migrate.cli;

import static dev.kvshift.testkit.concurrent.Await.join;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.kvshift.api.Layout;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.SideCounts;
import dev.kvshift.spi.Store;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class FleetCommandTest {
  private static final Layout LAYOUT = Layout.point();

  private final String name = UUID.randomUUID().toString();
  private final StringWriter out = new StringWriter();

  @TempDir private Path configured;

  private final Store leader = MemoryStoreProvider.open(name);
  private final Gate gate = join(leader.open("files", LAYOUT, Claim.ACTIVE)).gate();

  @AfterEach
  void close() {
    leader.close();
  }

  private int execute(String... more) {
    String[] arguments = {"fleet", "files", "--config=" + configuration()};
    String[] all = new String[arguments.length + more.length];
    System.arraycopy(arguments, 0, all, 0, arguments.length);
    System.arraycopy(more, 0, all, arguments.length, more.length);
    return MigrateCommand.commandLine().setOut(new PrintWriter(out)).execute(all);
  }

  private Path configuration() {
    try {
      return Files.writeString(
          configured.resolve("test.yaml"),
          """
          source: memory://NAME
          target: memory://other-NAME
          kafka: {bootstrap: 'h:1'}
          collections: [{name: files, layout: 'point;shard=none;encoding=1'}]
          """
              .replace("NAME", name));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static InstanceReport report(String instance, InstanceReport.Use use) {
    return InstanceReport.of(instance, "orders")
        .withLibrary("1.2")
        .withNewestPhase(Phase.NEW_ONLY)
        .withUse("files", use);
  }

  @Test
  void fleet_nobody_isReady() {
    assertThat(execute()).isEqualTo(ExitCode.OK);
    assertThat(out.toString().lines())
        .containsExactly("files: phase legacy, epoch 0; 0 of 0 processes ready for the next step");
  }

  @Test
  void fleet_oneReadyAndOneNot_showsBothAndWhy(@TempDir Path folder) throws Exception {
    Copy copy = Copy.draw("log");
    Gate.State now = join(gate.state());
    join(gate.compareAndSet(now, now.withCopy(copy)));
    InstanceReport.Use ready =
        InstanceReport.Use.acknowledging(0)
            .withCopy(copy)
            .withSkew(Duration.ofMillis(3))
            .withCounts(SideCounts.NONE.withRequests(9, 3).withMissHits(2).withComparisons(8, 4));
    join(leader.report(report("one", ready)));
    join(leader.report(report("two", InstanceReport.Use.acknowledging(0))));
    Path json = folder.resolve("fleet.json");
    assertThat(execute("--json", json.toString())).isEqualTo(ExitCode.REFUSED);
    assertThat(out.toString().lines())
        .containsExactly(
            "files: phase legacy, epoch 0; 1 of 2 processes ready for the next step",
            "orders one: epoch 0, library 1.2, clock within 3 ms, new side: 9 requests, 3 failed,"
                + " 2 miss-hits, 8 compared, 4 different",
            "orders two: epoch 0, library 1.2, new side: 0 requests, 0 failed, 0 miss-hits, 0"
                + " compared, 0 different",
            "  not ready: it has not opened its new side yet");
    JsonObject fleet = JsonParser.parseString(Files.readString(json)).getAsJsonObject();
    assertThat(fleet.getAsJsonArray("processes")).hasSize(2);
    JsonObject one = fleet.getAsJsonArray("processes").get(0).getAsJsonObject();
    assertThat(one.get("missHits").getAsInt()).isEqualTo(2);
    assertThat(one.get("copy").getAsString()).isEqualTo(copy.toString());
    assertThat(one.has("notReady")).isFalse();
    JsonObject two = fleet.getAsJsonArray("processes").get(1).getAsJsonObject();
    assertThat(two.get("notReady").getAsString()).isEqualTo("it has not opened its new side yet");
  }

  @Test
  void fleet_stepNotEnteredYet_saysSo() {
    join(leader.report(report("one", InstanceReport.Use.acknowledging(0))));
    Gate.State now = join(gate.state());
    join(gate.compareAndSet(now, now.withEpoch(1).withPhase(Phase.SHADOW_WRITE)));
    assertThat(execute()).isEqualTo(ExitCode.REFUSED);
    assertThat(out.toString())
        .contains("files: phase shadow-write, epoch 1; 0 of 1 processes ready")
        .contains("  not ready: it has not entered epoch 1 yet");
  }
}
