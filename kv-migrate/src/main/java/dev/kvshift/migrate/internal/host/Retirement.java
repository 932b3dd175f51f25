package dev.kvshift.migrate.internal.host;

import dev.kvshift.api.Capability;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.QuietPeriod;
import dev.kvshift.migrate.api.RetireReport;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.ledger.Certificate;
import dev.kvshift.migrate.internal.ledger.CutoverRecord;
import dev.kvshift.migrate.internal.ledger.Event;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.MigrationConfig;
import dev.kvshift.migrate.internal.stream.Topic;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.ImportSettings;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.Usage;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Deletes what the migration of a moved collection has left: its topics, dead letters, consumer and
 * records of progress; and restores the settings that the target had changed for the import. Keeps
 * the configuration, the certificate and the event log, and no row of either store is touched. Can
 * be repeated.
 */
public final class Retirement {
  private static final int LISTED_CLIENTS = 5;

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
   * @param quiet the time for which nobody may have used it
   * @return what could not be checked
   * @throws MigrationException.CutoverRefused if not, saying why
   */
  public List<String> require(QuietPeriod quiet) {
    MigrationConfig config = ledger.get(MigrationConfig.KEY);
    if (config == null) {
      throw sides.refused("it was never prepared");
    }
    Copy copy = config.requireCopy();
    StoreCollection source = sides.source();
    Gate.State gate = Await.patiently(patience, () -> source.gate().state());
    if (gate.isClockOrdered()) {
      throw sides.refused(
          "it has moved and keeps a way back, which needs what would be deleted: give the command"
              + " finish first, or rollback");
    }
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
    requireQuiet(source, certificate.last().at(), quiet.length());
    return requireUnused(source, quiet);
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

  /**
   * Checks by the leader's memory that no service has read, written or locked within the quiet
   * period. Refused requests count: who sends them has not moved.
   */
  private List<String> requireUnused(StoreCollection source, QuietPeriod quiet) {
    if (!plan.source().capabilities().contains(Capability.USAGE)) {
      return List.of(
          "the old store does not remember its clients: make sure that nobody has used it for "
              + quiet.length().toDays()
              + " days");
    }
    Instant since =
        Await.patiently(patience, () -> plan.source().serverTime()).minus(quiet.length());
    requireUnused("it", source.gate(), since);
    for (String space : quiet.lockSpaces()) {
      Gate gate = Await.patiently(patience, () -> plan.source().locks(space).gate());
      requireUnused("lock space " + space, gate, since);
    }
    return List.of();
  }

  private void requireUnused(String what, Gate gate, Instant since) {
    Usage usage = Await.patiently(patience, () -> gate.usage(since));
    if (!usage.clients().isEmpty()) {
      throw sides.refused(
          what
              + " was used at the old store within the quiet period, by "
              + usage.clients().stream()
                  .limit(LISTED_CLIENTS)
                  .map(client -> client.name() + ", last at " + client.lastSeen())
                  .collect(Collectors.joining("; "))
              + (usage.clients().size() > LISTED_CLIENTS ? "; and others" : "")
              + ": let them open the new store, and wait");
    }
    if (usage.remembered().isAfter(since)) {
      throw sides.refused(
          "the old store remembers its clients since "
              + usage.remembered()
              + " only, and the quiet period began at "
              + since
              + ": wait, or give a shorter --quiet-days");
    }
  }

  /** Checks like {@link #require}, and returns what would be done. Changes nothing. */
  public RetireReport preview(QuietPeriod quiet) {
    List<String> left = require(quiet);
    MigrationConfig config = ledger.require(MigrationConfig.KEY);
    List<String> deleted = new ArrayList<>();
    deleted.add("topic " + config.topic().name() + ", with its dead letters and checkpoints");
    deleted.add("the records of progress");
    return report(deleted, endImport(config, true), left);
  }

  private ImportSettings endImport(MigrationConfig config, boolean isDryRun) {
    return Await.patiently(
        patience, () -> plan.target().endImport(plan.collection(), config.incarnation(), isDryRun));
  }

  private static RetireReport report(
      List<String> deleted, ImportSettings settings, List<String> unchecked) {
    List<String> left = new ArrayList<>(unchecked);
    settings.left().forEach(statement -> left.add("run on the new store: " + statement + ";"));
    return new RetireReport(deleted, settings.restored(), left);
  }

  /**
   * Restores and deletes.
   *
   * @return what was done, and what a person has to do
   * @throws MigrationException.CutoverRefused see {@link #require}; nothing was deleted
   */
  public RetireReport run(QuietPeriod quiet) {
    List<String> left = require(quiet);
    MigrationConfig config = ledger.require(MigrationConfig.KEY);
    ImportSettings settings = endImport(config, false);
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
    return report(deleted, settings, left);
  }
}
