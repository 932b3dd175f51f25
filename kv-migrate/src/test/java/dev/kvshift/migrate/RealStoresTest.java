package dev.kvshift.migrate;

import static dev.kvshift.testkit.concurrent.Await.join;
import static dev.kvshift.testkit.concurrent.Await.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.KvStore;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.embedded.ForkedLegacyServer;
import dev.kvshift.embedded.KafkaBroker;
import dev.kvshift.migrate.api.MigrationResult;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.model.Stores;
import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.InstancesNotReady;
import dev.kvshift.spi.Phase;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** A migration with real servers: the legacy server, a broker and a CQL node. */
final class RealStoresTest {
  private static final long SEED = Long.getLong("kvshift.seed", 7);
  private static final int ROWS = Integer.getInteger("kvshift.rows", 3_000);

  @Test
  void run_legacyToCqlUnderLiveWriter_movesEverything() {
    CassandraNode node = CassandraNode.shared();
    try (ForkedLegacyServer legacy = ForkedLegacyServer.start();
        Sides sides =
            new Sides(
                Layout.range(ShardRule.firstBits(4)),
                Stores.open(legacy.connectionString()),
                Stores.open(target(node, "runner_test", node.datacenter())))) {
      sides.fill(ROWS);
      MigrationResult result;
      long longest;
      List<String> events;
      try (LiveWriter writer = new LiveWriter(sides, 2, SEED);
          Migration migration =
              Migration.of(
                  sides.plan(KafkaBroker.shared(), Sides.options(Sides.PATIENT)),
                  ProgressListener.NONE)) {
        result = migration.run();
        while (writer.writesAfter() < 200) {
          Thread.onSpinWait();
        }
        writer.assertHolds();
        longest = writer.longestMillis();
        events = migration.status().events();
      }
      assertThat(result.verify().differences()).isZero();
      assertThat(result.copy().counts().residue()).isZero();
      System.out.println("longest write " + longest + " ms, " + result.cutover() + ", " + events);
    }
  }

  @Test
  void fence_servicesWithAnotherNewSide_namesEachAndIsRefused() {
    CassandraNode node = CassandraNode.shared();
    Layout layout = Layout.range(ShardRule.firstBits(4));
    String right = target(node, "handshake_right", node.datacenter());
    Map<String, String> wrong =
        Map.of(
            "other-keyspace", target(node, "handshake_other", node.datacenter()),
            "active-collection", target(node, "handshake_active", node.datacenter()),
            "other-datacenter", target(node, "handshake_right", "elsewhere"));
    try (ForkedLegacyServer legacy = ForkedLegacyServer.start();
        KvStore unrelated = Stores.connect(wrong.get("active-collection"));
        Sides sides =
            new Sides(layout, Stores.open(legacy.connectionString()), Stores.open(right));
        Migration migration =
            Migration.of(
                sides.plan(KafkaBroker.shared(), Sides.options(Sides.PATIENT)),
                ProgressListener.NONE)) {
      unrelated.collection(Sides.COLLECTION, layout);
      sides.fill(10);
      migration.prepare();
      List<KvStore> services = new ArrayList<>();
      try {
        wrong.forEach(
            (service, newSide) ->
                services.add(service(service, legacy.connectionString(), newSide, layout)));
        services.add(service("right", legacy.connectionString(), right, layout));
        until(
            "every service has looked at its new side",
            () ->
                wrong.keySet().stream().allMatch(service -> obstacle(sides, service).isPresent())
                    && isReady(sides, "right"));

        assertThatThrownBy(
                () ->
                    join(
                        sides
                            .from
                            .gate()
                            .fence("try", FenceOptions.lasting(Duration.ofSeconds(5)))))
            .isExactlyInstanceOf(InstancesNotReady.class)
            .hasMessageContaining("other-keyspace")
            .hasMessageContaining("does not exist on the new store")
            .hasMessageContaining("active-collection")
            .hasMessageContaining("is not the one that its migration has filled")
            .hasMessageContaining("other-datacenter")
            .hasMessageContaining("localDatacenter=elsewhere")
            .hasMessageNotContaining("right (");
        assertThat(join(sides.from.gate().state()).phase()).isEqualTo(Phase.LEGACY);
      } finally {
        services.forEach(KvStore::close);
      }
    }
  }

  @Test
  void open_oldStoreUnreachableAndNewOneNeverMigrated_failsAndWritesNothing() {
    CassandraNode node = CassandraNode.shared();
    Layout layout = Layout.range(ShardRule.firstBits(4));
    String newSide = target(node, "never_migrated", node.datacenter());
    String oldSide;
    try (ForkedLegacyServer legacy = ForkedLegacyServer.start()) {
      oldSide = legacy.connectionString();
    }
    try (KvStore owner = Stores.connect(newSide);
        KvStore service = Stores.connect(transition("service", oldSide, newSide).print())) {
      owner.collection(Sides.COLLECTION, layout);
      assertThatThrownBy(() -> service.collection(Sides.COLLECTION, layout))
          .isInstanceOf(KvException.Transient.class);
    }
  }

  static String target(CassandraNode node, String keyspace, String datacenter) {
    return "scylla://"
        + node.address()
        + "/"
        + keyspace
        + "?localDatacenter="
        + datacenter
        + "&create=if-missing&replication=1";
  }

  static KvStore service(String name, String oldSide, String newSide, Layout layout) {
    KvStore store = Stores.connect(transition(name, oldSide, newSide).print());
    store.collection(Sides.COLLECTION, layout);
    return store;
  }

  static ConnectionString transition(String name, String oldSide, String newSide) {
    return ConnectionString.of("transition")
        .withHosts(List.of(ConnectionString.Host.of(name)))
        .withParameters(Map.of("old", oldSide, "new", newSide));
  }

  private static boolean isReady(Sides sides, String service) {
    return join(sides.from.gate().instances()).stream()
        .map(Gate.Instance::report)
        .anyMatch(report -> report.service().equals(service) && obstacle(sides, report) == null);
  }

  /** Returns what keeps a service from following; empty also while it has not looked yet. */
  private static Optional<String> obstacle(Sides sides, String service) {
    return join(sides.from.gate().instances()).stream()
        .map(Gate.Instance::report)
        .filter(report -> report.service().equals(service))
        .map(report -> Optional.ofNullable(obstacle(sides, report)))
        .findFirst()
        .orElse(Optional.of("no report"))
        .filter(reason -> !reason.contains("has not opened its new side yet"));
  }

  private static @Nullable String obstacle(Sides sides, InstanceReport report) {
    return report.obstacle(Sides.COLLECTION, Phase.NEW_ONLY, sides.copy());
  }
}
