package dev.kvshift.examples.transition;

import static dev.kvshift.testkit.concurrent.Await.join;
import static dev.kvshift.testkit.concurrent.Await.until;

import dev.kvshift.migrate.Migration;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.api.VerifyReport;
import dev.kvshift.model.Model;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.InstancesNotReady;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Store;
import dev.kvshift.transition.Coordinator;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** The move of one collection: its migration, and the steps of its phases. Used by one thread. */
final class Move implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final String name;
  private final Store target;
  private final Gate gate;
  private final Migration migration;
  private final Coordinator coordinator;
  private final AtomicInteger steps = new AtomicInteger();

  Move(Model model, Store source, Store target, String bootstrapServers) {
    this.name = model.name();
    this.target = target;
    this.gate = join(source.open(name, model.layout(), Claim.ACTIVE)).gate();
    this.migration =
        Migration.of(
            MigrationPlan.builder(name, model.layout())
                .source(source)
                .target(target)
                .bootstrapServers(bootstrapServers)
                .options(MigrationOptions.builder().topicPartitions(4).copyWorkers(2).build())
                .build(),
            ProgressListener.NONE);
    this.coordinator =
        Coordinator.of(name, gate)
            .withProgress(this::told)
            .withCondition(Phase.NEW_READ, state -> uncertified());
  }

  int steps() {
    return steps.get();
  }

  /** Prepares the target, and begins to stream and to apply. */
  void start() {
    migration.prepare();
    migration.start();
  }

  void copy() {
    migration.copy();
    migration.catchUp();
  }

  /**
   * Waits until exactly this number of instances use the collection, and all of them can follow.
   */
  void awaitReady(int instances) {
    until("the instances are ready for " + name, PATIENCE, () -> isReady(instances));
  }

  private boolean isReady(int expected) {
    Copy copy = Objects.requireNonNull(join(gate.state()).copy());
    List<Gate.Instance> found = join(gate.instances());
    return found.size() == expected
        && found.stream()
            .allMatch(one -> one.report().obstacle(name, Phase.NEW_ONLY, copy) == null);
  }

  /** Takes the collection to a phase, once all instances can follow. */
  void moveTo(Phase phase) {
    until("the step to " + phase + " of " + name, PATIENCE, () -> isMovedTo(phase));
  }

  /** An instance that the check has just restarted is not ready for some seconds. */
  private boolean isMovedTo(Phase phase) {
    try {
      coordinator.moveTo(phase, PATIENCE);
      return true;
    } catch (InstancesNotReady e) {
      return false;
    }
  }

  void ramp(int percent) {
    coordinator.ramp(percent);
  }

  private @Nullable String uncertified() {
    migration.catchUp();
    VerifyReport verified = migration.verify();
    return verified.differences() == 0 ? null : verified.differences() + " keys differ";
  }

  /** Enters new-only, from which there is no way back. */
  void seal() {
    migration.catchUp();
    Gate.State sealed = join(gate.seal(join(gate.state()).epoch()));
    told("collection " + name + " enters phase new-only, epoch " + sealed.epoch());
    migration.catchUp();
    join(target.activate(name, Objects.requireNonNull(sealed.copy()), sealed.floor()));
  }

  private void told(String line) {
    if (line.contains(" enters phase ")) {
      steps.incrementAndGet();
      System.out.println(line);
    }
  }

  @Override
  public void close() {
    migration.close();
  }
}
