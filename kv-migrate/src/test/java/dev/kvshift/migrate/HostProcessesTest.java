package dev.kvshift.migrate;

import static dev.kvshift.testkit.concurrent.Await.join;
import static dev.kvshift.testkit.concurrent.Await.until;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.embedded.ForkedLegacyServer;
import dev.kvshift.embedded.KafkaBroker;
import dev.kvshift.embedded.fork.ForkedJvm;
import dev.kvshift.migrate.api.CopyCounts;
import dev.kvshift.migrate.api.CutoverTime;
import dev.kvshift.migrate.api.HostPlan;
import dev.kvshift.migrate.api.HostStatus;
import dev.kvshift.migrate.api.MigrationStatus;
import dev.kvshift.migrate.api.RunEnd;
import dev.kvshift.migrate.api.ScanRate;
import dev.kvshift.migrate.api.TaskKind;
import dev.kvshift.migrate.api.VerifyReport;
import dev.kvshift.migrate.api.Way;
import dev.kvshift.migrate.internal.copy.CopyCompletion;
import dev.kvshift.migrate.internal.copy.CopyTasks;
import dev.kvshift.migrate.internal.ledger.Certificate;
import dev.kvshift.migrate.internal.ledger.CopyTaskGroup;
import dev.kvshift.migrate.internal.ledger.TaskState;
import dev.kvshift.model.Stores;
import dev.kvshift.spi.Phase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Two collections, two host processes and real servers, under a live writer: processes are killed
 * and frozen at random moments of the copy and of the comparison, and started again; then in the
 * middle of a run through the phases, and of a cutover.
 */
final class HostProcessesTest {
  private static final long SEED = Long.getLong("kvshift.seed", 17);
  private static final int ROWS = Integer.getInteger("kvshift.rows", 2_000);
  private static final int SIGTERM = 15;
  private static final int SCAN_RATE = 400;
  private static final Duration PATIENCE = Duration.ofMinutes(4);
  private static final Layout FILES = Layout.range(ShardRule.firstBits(4));
  private static final Layout USERS = Layout.range(ShardRule.none());

  private final Random random = new Random(SEED);
  private final List<HostProcess> hosts = new ArrayList<>();

  @TempDir private Path folder;

  @Test
  void hosts_killedAndFrozenAtRandom_copyAndVerifyBothCollections() throws IOException {
    System.out.println("seed " + SEED);
    CassandraNode node = CassandraNode.shared();
    String target = RealStoresTest.target(node, "hosts_test", node.datacenter());
    try (ForkedLegacyServer legacy = ForkedLegacyServer.start();
        Sides files =
            new Sides("files", FILES, Stores.open(legacy.connectionString()), Stores.open(target));
        Sides users =
            new Sides(
                "users", USERS, Stores.open(legacy.connectionString()), Stores.open(target))) {
      files.fill(ROWS);
      users.fill(ROWS);
      writeConfiguration(legacy.connectionString(), target);
      HostedMigrations migrations =
          new HostedMigrations(
              new HostPlan(
                  "hosts-test", List.of(files.plan(), users.plan()), HostPlan.DEFAULT_LEASE));
      LiveWriter writer = new LiveWriter(files, 2, SEED);
      try {
        hosts.add(new HostProcess(folder));
        hosts.add(new HostProcess(folder));
        until("both hosts have joined", PATIENCE, () -> migrations.hosts().size() == 2);

        copy(migrations, files, users);
        verify(migrations, files);

        writer.close();
        compareAgain(migrations);
        writer.assertHolds();
        move(migrations, users);
        stopAll(migrations);
      } finally {
        writer.close();
        hosts.forEach(HostProcess::close);
      }
    }
  }

  /** Kills a process three times while parts are being copied. */
  private void copy(HostedMigrations migrations, Sides files, Sides users) {
    migrations.ask("files", TaskKind.COPY);
    migrations.ask("users", TaskKind.COPY);
    Set<String> owners = new HashSet<>();
    for (int kill = 0; kill < 3; kill++) {
      int tasks = 1 + kill * 16 + random.nextInt(16);
      until(
          tasks + " tasks of users are copied",
          PATIENCE,
          () -> {
            owners.addAll(owners(users));
            return done(migrations, "users") >= tasks;
          });
      hosts.get(random.nextInt(2)).killAndRestart();
    }
    for (Sides each : List.of(files, users)) {
      String name = each == files ? "files" : "users";
      until(name + " is copied", PATIENCE, () -> hasEnded(migrations, name, TaskKind.COPY));
      owners.addAll(owners(each));
      CopyCounts counts = migrations.status(name).migration().copy().counts();
      assertThat(counts.residue()).isZero();
      assertThat(counts.rejected()).isZero();
    }
    CopyCounts quiet = migrations.status("users").migration().copy().counts();
    assertThat(quiet.read()).as("each row is counted once").isEqualTo(ROWS);
    assertThat(quiet.written()).isEqualTo(ROWS);
    assertThat(owners).as("processes that have copied").hasSizeGreaterThanOrEqualTo(2);
    System.out.println("copied by " + owners);
  }

  /** Freezes the leader for longer than its lease, lets it go on, and kills the other process. */
  private void verify(HostedMigrations migrations, Sides files) {
    migrations.ask("files", TaskKind.VERIFY);
    migrations.ask("users", TaskKind.VERIFY);
    until("files is compared", PATIENCE, () -> isRunning(migrations, "files", TaskKind.VERIFY));
    HostStatus.Task lead = task(migrations, "files", TaskKind.LEAD);
    HostProcess frozen =
        hosts.stream().filter(host -> host.isNamed(lead.owner())).findFirst().orElseThrow();
    frozen.jvm.pause();
    until(
        "another process leads",
        PATIENCE,
        () -> {
          HostStatus.Task now = task(migrations, "files", TaskKind.LEAD);
          return now.attempt() > lead.attempt() && now.status().equals("running");
        });
    frozen.jvm.resume();
    until(
        "the comparison goes on",
        PATIENCE,
        () ->
            isRunning(migrations, "files", TaskKind.VERIFY)
                || hasEnded(migrations, "files", TaskKind.VERIFY));
    hosts.get(random.nextInt(2)).killAndRestart();
    for (String name : List.of("files", "users")) {
      until(name + " is compared", PATIENCE, () -> hasEnded(migrations, name, TaskKind.VERIFY));
      assertEqual(verified(migrations, name));
    }
    assertThat(new CopyCompletion(files.ledger(), Instant::now).isDone()).isTrue();
  }

  /** Kills the owner of a run in the middle of its steps, and the leader of a cutover. */
  private void move(HostedMigrations migrations, Sides users) {
    migrations.run("users", Way.DUAL_WRITE, RunEnd.READY, Set.of());
    until(
        "the steps have begun",
        PATIENCE,
        () -> migrations.status("users").migration().source().phase() != Phase.LEGACY);
    HostStatus.Task begun = task(migrations, "users", TaskKind.RUN);
    killOwner(migrations, TaskKind.RUN);
    until("the run has ended", PATIENCE, () -> hasEnded(migrations, "users", TaskKind.RUN));
    HostStatus.Task ended = task(migrations, "users", TaskKind.RUN);
    assertThat(ended.note()).startsWith("stage 5 of 5, step to new-primary");
    assertThat(ended.owner()).as("another process ends it").isNotEqualTo(begun.owner());
    MigrationStatus.Source reached = migrations.status("users").migration().source();
    assertThat(reached.phase()).isEqualTo(Phase.NEW_PRIMARY);
    assertThat(reached.epoch()).as("each step is taken once").isEqualTo(5);

    migrations.cutover(List.of("users"), Set.of(), CutoverTime.ON_GO);
    until("it is ready", PATIENCE, () -> isReady(migrations));
    HostStatus.Task before = task(migrations, "users", TaskKind.CUTOVER);
    killOwner(migrations, TaskKind.LEAD);
    until(
        "it is ready under another leader",
        PATIENCE,
        () ->
            isReady(migrations)
                && task(migrations, "users", TaskKind.CUTOVER).attempt() > before.attempt());
    migrations.letGo("users");
    until(
        "it is handed over",
        PATIENCE,
        () ->
            isRunning(migrations, "users", TaskKind.CUTOVER)
                || hasEnded(migrations, "users", TaskKind.CUTOVER));
    killOwner(migrations, TaskKind.CUTOVER);
    until("it has moved", PATIENCE, () -> hasEnded(migrations, "users", TaskKind.CUTOVER));
    until("nobody leads it", PATIENCE, () -> hasEnded(migrations, "users", TaskKind.LEAD));
    System.out.println(task(migrations, "users", TaskKind.CUTOVER));
    assertThat(users.to()).isNotNull();
    assertThat(Migration.verifyCertificate(users.ledger().require(Certificate.KEY).toJson()).copy())
        .isEqualTo(users.copy().toString());
  }

  private static boolean isReady(HostedMigrations migrations) {
    HostStatus.Task task = task(migrations, "users", TaskKind.CUTOVER);
    assertThat(task.hasFailed()).as("%s", task).isFalse();
    return task.status().equals("wanted") && task.note().startsWith("ready, and waits for ");
  }

  private void killOwner(HostedMigrations migrations, TaskKind kind) {
    HostStatus.Task task = task(migrations, "users", kind);
    hosts.stream().filter(host -> host.isNamed(task.owner())).forEach(HostProcess::killAndRestart);
  }

  private void stopAll(HostedMigrations migrations) {
    for (HostProcess host : hosts) {
      host.jvm.stop(Duration.ofSeconds(30));
      assertThat(join(host.jvm.onExit())).isEqualTo(128 + SIGTERM);
    }
    assertThat(task(migrations, "files", TaskKind.LEAD).status()).isEqualTo("wanted");
    assertThat(task(migrations, "users", TaskKind.LEAD).status()).isEqualTo("done");
    assertThat(migrations.hosts()).isEmpty();
  }

  private static void compareAgain(HostedMigrations migrations) {
    Map<String, Long> attempts = new HashMap<>();
    for (String name : migrations.collections()) {
      attempts.put(name, task(migrations, name, TaskKind.VERIFY).attempt());
      migrations.set(name, ScanRate.unlimited());
      migrations.ask(name, TaskKind.VERIFY);
    }
    attempts.forEach(
        (name, attempt) -> {
          until(
              name + " is compared again",
              PATIENCE,
              () ->
                  task(migrations, name, TaskKind.VERIFY).attempt() > attempt
                      && hasEnded(migrations, name, TaskKind.VERIFY));
          assertEqual(verified(migrations, name));
        });
  }

  private static VerifyReport verified(HostedMigrations migrations, String name) {
    return Objects.requireNonNull(migrations.status(name).migration().verify());
  }

  private static void assertEqual(VerifyReport report) {
    assertThat(report.differences()).as("%s", report).isZero();
    assertThat(report.sourceRows()).isGreaterThanOrEqualTo(ROWS);
  }

  private static Set<String> owners(Sides sides) {
    Set<String> owners = new HashSet<>();
    CopyTasks parts = CopyTasks.read(sides.ledger());
    for (int part = 0; parts != null && part < parts.parts(); part++) {
      CopyTaskGroup group = parts.part(part);
      if (!group.state().owner().isEmpty()) {
        owners.add(group.state().owner());
      }
      assertThat(group.state().status()).isNotEqualTo(TaskState.Status.FAILED);
    }
    return owners;
  }

  private static int done(HostedMigrations migrations, String name) {
    return migrations.status(name).migration().copy().tasksDone();
  }

  private static HostStatus.Task task(HostedMigrations migrations, String name, TaskKind kind) {
    return migrations.status(name).task(kind).orElseThrow();
  }

  private static boolean isRunning(HostedMigrations migrations, String name, TaskKind kind) {
    return task(migrations, name, kind).status().equals("running");
  }

  private static boolean hasEnded(HostedMigrations migrations, String name, TaskKind kind) {
    HostStatus.Task task = task(migrations, name, kind);
    assertThat(task.hasFailed()).as("%s", task).isFalse();
    return task.hasEnded();
  }

  private void writeConfiguration(String source, String target) throws IOException {
    Files.writeString(
        folder.resolve("migration.yaml"),
        """
        name: hosts-test
        source: SOURCE
        target: TARGET
        leaseSeconds: 3
        kafka: {bootstrap: 'BROKER'}
        defaults:
          partitions: 4
          scanTasks: 64
          workers: 2
          inFlight: 64
          scanRowsPerSecond: RATE
          patienceSeconds: 30
          dwellSeconds: 0
        collections:
          - {name: files, layout: 'FILES'}
          - {name: users, layout: 'USERS'}
        """
            .replace("SOURCE", source)
            .replace("TARGET", target)
            .replace("BROKER", KafkaBroker.shared().bootstrapServers())
            .replace("RATE", Integer.toString(SCAN_RATE))
            .replace("FILES", FILES.toString())
            .replace("USERS", USERS.toString()));
  }

  /** {@code host} in a JVM of its own. */
  private static final class HostProcess implements AutoCloseable {
    private final ForkedJvm.Builder builder;
    private ForkedJvm jvm;

    HostProcess(Path folder) {
      builder =
          ForkedJvm.builder("host", "dev.kvshift.migrate.cli.Main")
              .ownClassPath()
              .jvmArgs(List.of("-Xmx192m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"))
              .args(List.of("host", "--config", folder.resolve("migration.yaml").toString()))
              .ready(line -> line.contains("host runs"));
      jvm = builder.start();
    }

    /** Returns whether the owner of a task is this process. */
    boolean isNamed(String owner) {
      return owner.contains("-" + jvm.pid() + "-");
    }

    void killAndRestart() {
      System.out.println("kills host " + jvm.pid());
      jvm.kill();
      jvm = builder.start();
    }

    @Override
    public void close() {
      jvm.resume();
      if (!jvm.logTail().isEmpty()) {
        System.out.println(String.join("\n", jvm.logTail()));
      }
      jvm.kill();
    }
  }
}
