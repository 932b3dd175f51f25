package dev.kvshift.migrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.embedded.KafkaBroker;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.MigrationConfig;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Sides that have the right names and are others than the migration was prepared with. */
final class IdentityTest {
  private final Sides sides = new Sides();
  private final Store other = MemoryStoreProvider.open("other-" + UUID.randomUUID());

  @AfterEach
  void close() {
    sides.close();
    other.close();
  }

  private static Migration migration(MigrationPlan plan) {
    return Migration.of(plan, ProgressListener.NONE);
  }

  private void prepare() {
    sides.fill(50);
    try (Migration migration = migration(sides.plan())) {
      migration.prepare();
    }
  }

  private static void verified(Migration migration) {
    migration.prepare();
    migration.start();
    migration.copy();
    migration.catchUp();
    migration.verify();
  }

  private void assertNotMoved() {
    assertThat(Await.of(sides.from.gate().state()).phase()).isEqualTo(Phase.LEGACY);
  }

  @Test
  void prepare_again_namesTheSameCopyEverywhere() {
    prepare();
    Copy copy = sides.copy();
    try (Migration again = migration(sides.plan())) {
      again.prepare();
    }
    assertThat(sides.copy()).isEqualTo(copy);
    assertThat(Await.of(CollectionRecord.read(sides.target.metadata(), Sides.COLLECTION)))
        .isEqualTo(CollectionRecord.importing(sides.layout, copy));
    assertThat(copy.source()).isEqualTo(Await.of(sides.from.changes().logId(0)));
  }

  @Test
  void run_anotherSource_isRefused() {
    prepare();
    StoreCollection impostor = Await.of(other.open(Sides.COLLECTION, Sides.LAYOUT, Claim.ACTIVE));
    MigrationPlan plan = sides.plan().toBuilder().source(other).build();
    try (Migration migration = migration(plan)) {
      assertThatThrownBy(migration::run)
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("the source's change log")
          .hasMessageContaining(Await.of(impostor.changes().logId(0)))
          .hasMessageContaining(sides.copy().source());
    }
    assertThat(Await.of(impostor.gate().state())).isEqualTo(stateWithCeiling(impostor));
    assertNotMoved();
  }

  private static Gate.State stateWithCeiling(StoreCollection untouched) {
    return Gate.State.first()
        .withVersionCeiling(Await.of(untouched.gate().state()).versionCeiling());
  }

  @Test
  void run_anotherTarget_isRefusedAndLeftEmpty() {
    prepare();
    MigrationPlan plan = sides.plan().toBuilder().target(other).build();
    try (Migration migration = migration(plan)) {
      assertThatThrownBy(migration::run)
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("the copy that the source's gate names")
          .hasMessageContaining(sides.copy().toString());
    }
    assertNotMoved();
  }

  static List<Layout> otherLayouts() {
    return List.of(Layout.range(ShardRule.firstBits(4)), Layout.point());
  }

  @ParameterizedTest
  @MethodSource("otherLayouts")
  void run_anotherLayout_isRefused(Layout wrong) {
    prepare();
    MigrationPlan prepared = sides.plan();
    MigrationPlan plan =
        MigrationPlan.builder(Sides.COLLECTION, wrong)
            .source(prepared.source())
            .target(prepared.target())
            .bootstrapServers(prepared.bootstrapServers())
            .options(prepared.options())
            .build();
    try (Migration migration = migration(plan)) {
      assertThatThrownBy(migration::run)
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("the layout");
    }
    assertNotMoved();
  }

  @Test
  void run_anotherTargetAfterTheMove_isRefusedAndNothingIsActivated() {
    sides.fill(50);
    try (Migration migration = migration(sides.plan())) {
      migration.run();
    }
    Await.of(other.open(Sides.COLLECTION, Sides.LAYOUT, Claim.importing(Copy.draw("unrelated"))));
    MigrationPlan plan = sides.plan().toBuilder().target(other).build();
    try (Migration migration = migration(plan)) {
      assertThatThrownBy(migration::run)
          .isInstanceOf(MigrationException.CutoverRefused.class)
          .hasMessageContaining("no record of its migration");
    }
    assertThat(record(other).state()).isEqualTo(CollectionRecord.State.IMPORTING);
  }

  @Test
  void cutover_targetReplacedSinceVerify_isRefusedBeforeTheFence() {
    sides.fill(50);
    try (Migration migration = migration(sides.plan())) {
      verified(migration);
      CollectionRecord before = record(sides.target);
      replace(before, CollectionRecord.importing(sides.layout, Copy.draw("unrelated")));
      assertThatThrownBy(migration::cutover)
          .isInstanceOf(MigrationException.CutoverRefused.class)
          .hasMessageContaining("the copy on the target");
    }
    assertNotMoved();
    assertThat(Await.of(sides.from.gate().state()).fence()).isNull();
  }

  @Test
  void cutover_topicMadeAnewSinceVerify_isRefusedBeforeTheFence() throws Exception {
    sides.fill(50);
    try (Migration migration = migration(sides.plan())) {
      verified(migration);
      recreateTopic();
      assertThatThrownBy(migration::cutover).isInstanceOf(RuntimeException.class);
    }
    assertNotMoved();
    assertThat(Await.of(sides.from.gate().state()).fence()).isNull();
  }

  private void recreateTopic() throws Exception {
    MigrationConfig.Topic topic =
        new Ledger(
                sides.target.metadata(),
                Sides.COLLECTION,
                Duration.ofSeconds(10),
                Clock.systemUTC())
            .require(MigrationConfig.KEY)
            .topic();
    RemadeTopic.remake(topic.name(), topic.partitions());
  }

  private static CollectionRecord record(Store store) {
    return Await.of(CollectionRecord.read(store.metadata(), Sides.COLLECTION));
  }

  private void replace(CollectionRecord before, CollectionRecord after) {
    assertThat(
            Await.of(
                sides
                    .target
                    .metadata()
                    .compareAndSet(
                        CollectionRecord.metadataName(Sides.COLLECTION),
                        before.print(),
                        after.print())))
        .isTrue();
  }

  @Test
  void prepare_emptySource_isRefusedAndMakesNothing() {
    try (Migration migration = migration(sides.plan())) {
      assertThatThrownBy(migration::prepare)
          .isExactlyInstanceOf(MigrationException.CutoverRefused.class)
          .hasMessageContaining("holds nothing");
    }
    assertThat(Await.of(sides.target.metadata().list("collection/", "", 10))).isEmpty();
    assertThat(Await.of(sides.target.metadata().list("migration/", "", 10))).isEmpty();
    assertThat(Await.of(sides.from.gate().state()).copy()).isNull();
  }

  @Test
  void prepare_emptySourceThatIsAllowed_isPrepared() {
    MigrationOptions options =
        MigrationOptions.builder().topicPartitions(1).allowingEmptySource().build();
    try (Migration migration = migration(sides.plan(KafkaBroker.shared(), options))) {
      migration.prepare();
    }
    assertThat(sides.copy()).isNotNull();
  }

  @Test
  void cutover_instanceThatSeesAnotherCopy_isRefusedByName() {
    prepare();
    Copy unrelated = Copy.draw("another-log");
    try (Migration migration = migration(sides.plan())) {
      verified(migration);
      try (Reports reports = new Reports(sides.source, unrelated)) {
        reports.start();
        assertThatThrownBy(migration::cutover)
            .isExactlyInstanceOf(MigrationException.CutoverRefused.class)
            .hasMessageContaining("orders (instance-1)")
            .hasMessageContaining(unrelated.toString());
      }
      assertNotMoved();
    }
  }

  @Test
  void cutover_instanceThatIsGivenUp_isLeftBehind() {
    sides.fill(50);
    MigrationOptions options =
        MigrationOptions.builder()
            .topicPartitions(1)
            .pauseLimit(Sides.PATIENT)
            .fenceLifetime(Sides.PATIENT.plusSeconds(1))
            .givingUp(Set.of("orders"))
            .build();
    try (Migration migration = migration(sides.plan(KafkaBroker.shared(), options))) {
      verified(migration);
      try (Reports reports = new Reports(sides.source, Copy.draw("another-log"))) {
        reports.start();
        migration.cutover();
      }
    }
    assertThat(Await.of(sides.from.gate().state()).phase()).isEqualTo(Phase.NEW_ONLY);
  }

  /** An instance that keeps reporting a copy until it is closed. */
  private static final class Reports implements AutoCloseable {
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    private final Store leader;
    private final InstanceReport report;

    Reports(Store leader, Copy copy) {
      this.leader = leader;
      this.report =
          InstanceReport.of("instance-1", "orders")
              .withNewestPhase(Phase.NEW_ONLY)
              .withUse(
                  Sides.COLLECTION,
                  InstanceReport.Use.acknowledging(0).withCopy(copy).withSkew(Duration.ZERO));
    }

    void start() {
      Await.of(leader.report(report));
      timer.scheduleAtFixedRate(() -> Await.of(leader.report(report)), 1, 1, TimeUnit.SECONDS);
    }

    @Override
    public void close() {
      timer.shutdownNow();
    }
  }
}
