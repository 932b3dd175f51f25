package dev.kvshift.migrate.internal.cutover;

import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.internal.context.RunContext;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.MigrationConfig;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Store;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Proves, before anything that cannot be undone, that source, target and topic are still the ones
 * that the migration was prepared with. Names prove nothing: a target can be another store with a
 * collection of that name, a topic can have been re-created, a leader can have been restored.
 */
public final class IdentityCheck {
  private final RunContext context;
  private final Store target;
  private final Ledger ledger;
  private final Supplier<String> topicId;

  /**
   * Creates a check.
   *
   * @param target the target, whose record of the collection names its copy
   * @param topicId asks the broker for the topic's id
   */
  public IdentityCheck(RunContext context, Store target, Ledger ledger, Supplier<String> topicId) {
    this.context = context;
    this.target = target;
    this.ledger = ledger;
    this.topicId = topicId;
  }

  /**
   * Checks the topic, which no fence needs to wait for, and everything that {@link #requireSides}
   * checks.
   *
   * @throws MigrationException.CutoverRefused if one of them is another, naming both
   */
  public void requireAll() {
    MigrationConfig config = requireSides();
    require("topic " + config.topic().name(), config.topic().id(), topicId.get());
  }

  /**
   * Checks that the leader's gate and the target's record name the copy of this migration, and that
   * the source's change log is the one that the copy was made from.
   *
   * @throws MigrationException.CutoverRefused if one of them is another, naming both
   */
  public MigrationConfig requireSides() {
    Sides sides = sides();
    sides.ask();
    return sides.require();
  }

  /**
   * Returns the same check in parts, so that no writer at a fence waits for each of its requests.
   */
  Sides sides() {
    return new Sides(ledger.require(MigrationConfig.KEY));
  }

  /** A check of both sides, whose requests are sent at once and awaited later. */
  final class Sides {
    private final MigrationConfig config;
    private @Nullable CompletionStage<String> origin;
    private @Nullable CompletionStage<Gate.State> gate;
    private @Nullable CompletionStage<@Nullable CollectionRecord> record;

    private Sides(MigrationConfig config) {
      this.config = config;
    }

    /** Asks both sides. */
    void ask() {
      origin = Futures.start(this::askOrigin);
      gate = Futures.start(this::askGate);
      record = Futures.start(this::askRecord);
    }

    private CompletionStage<String> askOrigin() {
      return context.source().changes().logId(0);
    }

    private CompletionStage<Gate.State> askGate() {
      return context.source().gate().state();
    }

    private CompletionStage<@Nullable CollectionRecord> askRecord() {
      return CollectionRecord.read(target.metadata(), context.collection());
    }

    /** Waits for the answers, and checks them as {@link #requireSides} does. */
    MigrationConfig require() {
      Copy copy = config.requireCopy();
      String foundOrigin = context.await(Objects.requireNonNull(origin), this::askOrigin);
      IdentityCheck.this.require("the source's change log", copy.source(), foundOrigin);
      Gate.State state = context.await(Objects.requireNonNull(gate), this::askGate);
      IdentityCheck.this.require("the copy that the source's gate names", copy, state.copy());
      CollectionRecord found = context.await(Objects.requireNonNull(record), this::askRecord);
      IdentityCheck.this.require(
          "the copy on the target", copy, found == null ? null : found.copy());
      IdentityCheck.this.require(
          "the target's layout", config.layout(), Objects.requireNonNull(found).layout());
      return config;
    }
  }

  private void require(String what, @Nullable Object expected, @Nullable Object found) {
    if (!Objects.equals(expected, found)) {
      throw new MigrationException.CutoverRefused(
          "collection "
              + context.collection()
              + " was not moved: "
              + what
              + " is "
              + found
              + ", the migration was prepared with "
              + expected
              + "; check the connection strings, or prepare again");
    }
  }
}
