package dev.kvshift.migrate.internal.cutover;

import dev.kvshift.migrate.api.CutoverReport;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.WritePause;
import dev.kvshift.migrate.internal.apply.ChangePipeline;
import dev.kvshift.migrate.internal.context.RunContext;
import dev.kvshift.migrate.internal.ledger.Certificate;
import dev.kvshift.migrate.internal.ledger.CutoverRecord;
import dev.kvshift.migrate.internal.ledger.Event;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.InstancesNotReady;
import dev.kvshift.spi.Phase;
import java.util.Set;

/**
 * Ends a dual-write cutover: hands a collection over from new-primary by a seal, without a pause.
 *
 * <p><b>Problem.</b> In new-primary every write that is acknowledged is on both stores, and the
 * target answers all reads. The source still decides: it assigns each write its version. It must
 * stop at one instant, and the runner may die anywhere around it.
 *
 * <p><b>Idea.</b> The seal is that instant, one compare-and-set at the leader. Services learn of it
 * by the refusal of their next request and continue at the target alone, above the floor. The
 * runner waits for no instance. What the seal leaves on the source alone are writes that no service
 * has acknowledged; the stream brings them over, and only then the target's record becomes active.
 *
 * <p><b>Invariants</b>, and what breaks without each:
 *
 * <ol>
 *   <li><i>The certificate is durable before the seal, with the epoch that is sealed.</i> After it,
 *       services write to the target, so that no comparison can prove anything any more. A runner
 *       that finds a collection sealed completes it under that certificate, and no other.
 *   <li><i>Active follows drained.</i> A run that finds the target active no longer reads the
 *       source, so the rest would never be applied.
 *   <li><i>No key is compared after the seal.</i> It may have been written or deleted on the target
 *       since, and would be taken for a difference.
 *   <li><i>Lives are proved before the seal and again before the activation</i>, as in {@link
 *       Cutover}.
 * </ol>
 */
public final class Seal {
  private final RunContext context;
  private final Gate gate;
  private final Ledger ledger;
  private final HandOver handOver;

  /** Creates a seal. */
  public Seal(RunContext context, Ledger ledger, HandOver handOver) {
    this.context = context;
    this.gate = context.source().gate();
    this.ledger = ledger;
    this.handOver = handOver;
  }

  /**
   * Seals a collection in new-primary, unless it is sealed already.
   *
   * @throws MigrationException.CutoverRefused if it is in another phase, the certificate is not
   *     complete, or an instance cannot follow
   * @throws MigrationException.Mismatch if the tail check has found differences
   */
  public void run(Readiness readiness, Mandate mandate) {
    Gate.State state = context.await(gate::state);
    if (!state.isLed()) {
      return;
    }
    if (state.phase() != Phase.NEW_PRIMARY || state.acceptMin() != state.epoch()) {
      throw new MigrationException.CutoverRefused(
          "collection "
              + context.collection()
              + " is in phase "
              + state.phase()
              + ", and only one that has entered NEW_PRIMARY is sealed: take it there first");
    }
    readiness.awaitInstances(Set.of());
    Certificate ready = readiness.certifyStop();
    Certificate.SealCheck checked =
        new Certificate.SealCheck(
            state.epoch(),
            readiness.tail().checked().position(),
            new Certificate.Tail(readiness.tail().keysRead(), 0),
            context.clock().instant(),
            null);
    ledger.put(Certificate.KEY, ready.with(checked, ready.quarantined()));
    ledger.append(Event.sealing(handOver.begin(checked.attempt())));
    mandate.require().run();
    try {
      context.await(() -> gate.seal(state.epoch()));
    } catch (InstancesNotReady e) {
      throw readiness.notReady(e.getMessage());
    }
  }

  /**
   * Drains what the seal has left, and activates the target. Completes also what another run has
   * sealed.
   *
   * @param draft creates the certificate's last section, with what is still quarantined
   * @throws MigrationException.CutoverRefused if the certificate is another seal's, or if the
   *     target has rejected one of the last writes
   */
  public CutoverReport complete(
      ChangePipeline pipeline, CertificateDraft draft, IdentityCheck identity) {
    Gate.State state = context.await(gate::state);
    long epoch = state.epoch() - 1;
    Certificate ready = ledger.get(Certificate.KEY);
    if (ready == null
        || !(ready.last() instanceof Certificate.SealCheck checked)
        || checked.epoch() != epoch) {
      throw new MigrationException.CutoverRefused(
          "collection "
              + context.collection()
              + " was sealed in epoch "
              + epoch
              + " without a certificate of that epoch, by something other than a runner: compare"
              + " both sides, and activate the target by hand");
    }
    long position = pipeline.settle();
    identity.requireSides();
    Certificate complete =
        ready.with(
            checked.drained(
                new Certificate.Drained(state.floor(), position, context.clock().instant())),
            draft.quarantined());
    complete.requireComplete(context.clock().instant());
    ledger.put(Certificate.KEY, complete);
    CutoverRecord attempt = ledger.require(CutoverRecord.KEY);
    return handOver.complete(attempt, 1, state, WritePause.NONE);
  }
}
