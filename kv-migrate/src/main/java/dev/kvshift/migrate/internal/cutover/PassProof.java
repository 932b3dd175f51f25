package dev.kvshift.migrate.internal.cutover;

import dev.kvshift.api.Layout;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.context.StoreClocks;
import dev.kvshift.migrate.internal.ledger.ClockCertificate;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.Machine;
import dev.kvshift.migrate.internal.ledger.MergeRecord;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.InstanceReport.Use;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Objects;

/**
 * Makes the certificate of a pass in clock order, without which no step leaves the merge of both
 * sides, and asks for it before the way back ends. Used by one thread.
 */
public final class PassProof {
  private final MigrationPlan plan;
  private final Ledger ledger;
  private final Gate gate;
  private final Clock clock;

  /** Creates it; nothing is read or written yet. */
  public PassProof(MigrationPlan plan, Ledger ledger, Gate gate, Clock clock) {
    this.plan = plan;
    this.ledger = ledger;
    this.gate = gate;
    this.clock = clock;
  }

  /**
   * Makes the certificate of a pass durable. Of two runs at once, either may write it: each is
   * true.
   *
   * @param merged the gate's state when the pass began, which the step is to leave
   * @param pass the pass that has ended
   * @return the certificate's hash
   * @throws MigrationException.CutoverRefused if it is not complete, naming what is not right
   */
  public String certify(
      Gate.State merged, MergeRecord pass, StoreCollection old, StoreCollection fresh) {
    Copy copy = pass.copy();
    ClockCertificate proof =
        new ClockCertificate(
            new ClockCertificate.Subject(
                plan.collection(),
                new ClockCertificate.Side(plan.source().description(), layout(plan.source(), old)),
                new ClockCertificate.Side(
                    plan.target().description(), layout(plan.target(), fresh)),
                incarnation(),
                copy),
            entered(merged),
            pass,
            StoreClocks.measure(plan.source(), plan.target(), clock, plan.options().patience()),
            Machine.user(),
            Machine.name());
    proof.requireFor(merged);
    ledger.update(proof.key(), found -> found != null && found.isAfter(proof) ? found : proof);
    ClockCertificate durable = ledger.require(proof.key());
    durable.requireFor(merged);
    return durable.hash();
  }

  /** Returns the layout of what a store holds. */
  private Layout layout(Store side, StoreCollection opened) {
    return opened.layout().withMapping(side.mapping(plan.collection()));
  }

  private long incarnation() {
    return Objects.requireNonNull(
            Await.patiently(
                plan.options().patience(),
                () -> CollectionRecord.read(plan.target().metadata(), plan.collection())))
        .incarnation();
  }

  private ClockCertificate.Entered entered(Gate.State merged) {
    List<Gate.Instance> instances = Await.patiently(plan.options().patience(), gate::instances);
    Duration skew = Duration.ZERO;
    for (Gate.Instance instance : instances) {
      Use use = instance.use();
      Duration its = use.skew();
      if (its != null && its.compareTo(skew) > 0) {
        skew = its;
      }
    }
    return new ClockCertificate.Entered(
        merged.phase(), merged.epoch(), merged.acceptMin(), instances.size(), skew);
  }

  /**
   * Returns the hash of the certificate under which the collection has come into new-primary.
   *
   * @throws MigrationException.CutoverRefused if there is none, or none of this move
   */
  public String requireMoved(Gate.State primary) {
    ClockCertificate proof = ledger.get(ClockCertificate.KEY);
    if (proof == null) {
      throw new MigrationException.CutoverRefused(
          "collection "
              + plan.collection()
              + " has no certificate of its move, as one that an older kvshift has cut over: step to"
              + " new-read and give the command cutover again, whose pass makes one");
    }
    proof.requireMoved(primary);
    return proof.hash();
  }
}
