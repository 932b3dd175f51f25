package dev.kvshift.migrate.internal.cutover;

import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.internal.apply.ChangePipeline;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.context.RunContext;
import dev.kvshift.migrate.internal.context.StoreClocks;
import dev.kvshift.migrate.internal.ledger.Certificate;
import dev.kvshift.migrate.internal.verify.TailCheck;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.InstancesNotReady;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.VersionClock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Checks the conditions under which the target is trusted: before a fence, a seal, and a step into
 * a phase in which the target answers reads. Everything is applied, every changed key is checked,
 * the lives are the ones that were prepared, and the certificate has all that it needs.
 */
public final class Readiness {
  /** Longer than a client without a report is remembered, and than a new side takes to open. */
  private static final Duration LONGEST_WAIT_FOR_INSTANCES = Duration.ofSeconds(20);

  private final RunContext context;
  private final ChangePipeline pipeline;
  private final TailCheck tail;
  private final CertificateDraft draft;
  private final IdentityCheck identity;

  /** Creates a check; pipeline and tail check run already. */
  public Readiness(
      RunContext context,
      ChangePipeline pipeline,
      TailCheck tail,
      CertificateDraft draft,
      IdentityCheck identity) {
    this.context = context;
    this.pipeline = pipeline;
    this.tail = tail;
    this.draft = draft;
    this.identity = identity;
  }

  ChangePipeline pipeline() {
    return pipeline;
  }

  TailCheck tail() {
    return tail;
  }

  IdentityCheck identity() {
    return identity;
  }

  /** Returns the number of keys that are quarantined now. */
  int quarantined() {
    return draft.quarantined();
  }

  /** Returns the digests of the keys that are lost now, as a person has accepted. */
  List<String> losses() {
    return draft.losses();
  }

  /** Throws the failure that ended a task, if there is one. */
  void check() {
    pipeline.check();
    tail.check();
  }

  /**
   * Applies and checks everything while writers continue, and returns the certificate of that.
   *
   * @throws MigrationException.CutoverRefused if it lacks something
   * @throws MigrationException.Mismatch if the tail check has found differences
   */
  public Certificate certify() {
    pipeline.settle();
    pipeline.awaitPosition(tail.checked(), pipeline.applied().position(), this::check);
    identity.requireAll();
    Certificate ready = draft.write(tail.settle());
    ready.requireReady(context.clock().instant());
    return ready;
  }

  /**
   * Returns the same certificate as {@link #certify} if the source may stop for good: its versions
   * are near its clock too, since services wait until their clocks have passed the floor.
   */
  Certificate certifyStop() {
    Certificate ready = certify();
    requireVersionsOfTheClock(Objects.requireNonNull(ready.clocks(), "checked"));
    return ready;
  }

  private void requireVersionsOfTheClock(StoreClocks clocks) {
    long ceiling = context.await(context.source().gate()::state).versionCeiling();
    Instant sourceTime = context.clock().instant().plus(clocks.source().offset());
    Duration ahead = Duration.of(ceiling - VersionClock.micros(sourceTime), ChronoUnit.MICROS);
    if (ahead.compareTo(VersionClock.MAX_AHEAD) > 0) {
      throw new MigrationException.CutoverRefused(
          "collection "
              + context.collection()
              + " was not moved: the source issues versions "
              + ahead.toMillis()
              + " ms ahead of its clock, at most "
              + VersionClock.MAX_AHEAD.toMillis()
              + " are allowed: start the cutover again once its clock has passed them");
    }
  }

  /**
   * Waits for a while until every live instance can follow, before writers are held back. The gate
   * refuses the fence, the move and the seal for the same reasons; asking first spares the writers.
   *
   * @param givenUp the services that need not be able to
   */
  void awaitInstances(Set<String> givenUp) {
    long end = System.nanoTime() + LONGEST_WAIT_FOR_INSTANCES.toNanos();
    for (int attempt = 0; ; attempt++) {
      List<InstancesNotReady.Obstacle> obstacles = obstacles(givenUp);
      if (obstacles.isEmpty()) {
        return;
      }
      if (System.nanoTime() - end >= 0) {
        throw notReady(
            obstacles.stream()
                .map(InstancesNotReady.Obstacle::toString)
                .collect(Collectors.joining("; ")));
      }
      check();
      Await.pause(Await.pauseMillis(attempt));
    }
  }

  private List<InstancesNotReady.Obstacle> obstacles(Set<String> givenUp) {
    Gate gate = context.source().gate();
    Gate.State state = context.await(gate::state);
    return InstancesNotReady.obstacles(
        context.collection(),
        context.await(gate::instances),
        Phase.NEW_ONLY,
        state.copy(),
        givenUp);
  }

  /** Returns the refusal that names the instances that are not ready. */
  MigrationException.CutoverRefused notReady(String who) {
    return new MigrationException.CutoverRefused(
        "collection "
            + context.collection()
            + " was not moved, because instances of services are not ready for it: "
            + who
            + "; fix that, or give a service up by name, and start the cutover again");
  }
}
