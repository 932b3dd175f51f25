package dev.kvshift.migrate.internal.host;

import dev.kvshift.api.Capability;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.ledger.Certificate;
import dev.kvshift.migrate.internal.ledger.CutoverRecord;
import dev.kvshift.migrate.internal.ledger.Event;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.MigrationConfig;
import dev.kvshift.migrate.internal.stream.Topic;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.StoreCollection;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Deletes what the migration of a moved collection has left: its topics, dead letters, consumer and
 * records of progress. Keeps the configuration, the certificate and the event log, and no row of
 * either store is touched. Can be repeated.
 */
public final class Retirement {
  private final MigrationPlan plan;
  private final Ledger ledger;
  private final PreparedSides sides;
  private final Clock clock;
  private final Duration patience;

  /** Creates a retirement; nothing is read or changed yet. */
  public Retirement(MigrationPlan plan, Clock clock) {
    this.plan = plan;
    this.clock = clock;
    this.patience = plan.options().patience();
    this.ledger = Ledger.of(plan, clock);
    this.sides = new PreparedSides(plan, "retired");
  }

  /**
   * Checks that the collection has moved, under a certificate of this copy, and has been left alone
   * since.
   *
   * @param quietPeriod how long ago the move must be
   * @throws MigrationException.CutoverRefused if not, saying why
   */
  public void require(Duration quietPeriod) {
    MigrationConfig config = ledger.get(MigrationConfig.KEY);
    if (config == null) {
      throw sides.refused("it was never prepared");
    }
    Copy copy = config.requireCopy();
    StoreCollection source = sides.source();
    Gate.State gate = Await.patiently(patience, () -> source.gate().state());
    if (gate.phase() != Phase.NEW_ONLY) {
      throw sides.refused("it is in phase " + gate.phase().word() + ", and has not moved");
    }
    sides.require("the copy that the source's gate names", copy, gate.copy());
    sides.requireLog(copy);
    if (!sides.requireTarget(copy).isHandedOver()) {
      throw sides.refused(
          "the target is not active yet: give the command cutover, which completes that");
    }
    Certificate certificate = ledger.get(Certificate.KEY);
    if (certificate == null
        || certificate.last() == null
        || ledger.require(CutoverRecord.KEY).moved() == null) {
      throw sides.refused("it has no certificate of its move");
    }
    requireQuiet(source, certificate.last().at(), quietPeriod);
  }

  private void requireQuiet(StoreCollection source, Instant moved, Duration quietPeriod) {
    Duration since = Duration.between(moved, clock.instant());
    if (since.compareTo(quietPeriod) < 0) {
      throw sides.refused(
          "it moved at "
              + moved
              + ", and the quiet period lasts until "
              + moved.plus(quietPeriod)
              + ": wait, or give a shorter --quiet-days");
    }
    List<Gate.Instance> users = Await.patiently(patience, () -> source.gate().instances());
    if (!users.isEmpty()) {
      throw sides.refused(
          "somebody still asks the old store for it: "
              + users.stream()
                  .limit(5)
                  .map(user -> user.report().service() + " " + user.name())
                  .collect(Collectors.joining(", "))
              + "; let them open the new store");
    }
  }

  /** Checks like {@link #require}, and returns what would be deleted. Changes nothing. */
  public List<String> preview(Duration quietPeriod) {
    require(quietPeriod);
    String topic = ledger.require(MigrationConfig.KEY).topic().name();
    return List.of(
        "topic " + topic + ", with its dead letters and checkpoints", "the records of progress");
  }

  /**
   * Deletes.
   *
   * @return what was deleted
   * @throws MigrationException.CutoverRefused see {@link #require}; nothing was deleted
   */
  public List<String> run(Duration quietPeriod) {
    require(quietPeriod);
    MigrationConfig config = ledger.require(MigrationConfig.KEY);
    List<String> deleted = new ArrayList<>();
    try (Exclusive alone = Exclusive.of(plan, ledger, clock)) {
      Topic topic = MigrationSetup.topic(plan, config.topic().name(), config.topic().partitions());
      deleted.addAll(topic.delete(config.requireTopicId()));
      if (plan.source().capabilities().contains(Capability.CHANGE_CONSUMERS)) {
        Await.patiently(patience, () -> sides.source().changes().forget(topic.consumerName()));
        deleted.add("consumer " + topic.consumerName() + " of the source's changes");
      }
      alone.forgetProgress(deleted);
    }
    ledger.append(Event.retired(config.topic().name()));
    return deleted;
  }
}
