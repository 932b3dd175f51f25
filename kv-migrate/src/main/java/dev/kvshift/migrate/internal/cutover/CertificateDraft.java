package dev.kvshift.migrate.internal.cutover;

import dev.kvshift.migrate.api.Difference;
import dev.kvshift.migrate.api.DifferenceCounts;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.VerifyReport;
import dev.kvshift.migrate.internal.context.RunContext;
import dev.kvshift.migrate.internal.context.StoreClocks;
import dev.kvshift.migrate.internal.copy.CopyTasks;
import dev.kvshift.migrate.internal.ledger.Certificate;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.MigrationConfig;
import dev.kvshift.migrate.internal.ledger.SnapshotRecord;
import dev.kvshift.migrate.internal.ledger.StreamProgress;
import dev.kvshift.migrate.internal.ledger.VerifyRecord;
import dev.kvshift.migrate.internal.verify.Findings;
import dev.kvshift.migrate.internal.verify.QuarantineReview;
import dev.kvshift.spi.ChangeSource;
import java.time.Duration;
import java.util.List;
import java.util.Objects;

/** Gathers everything of a certificate that is known before the source stops. */
public final class CertificateDraft {
  private final RunContext context;
  private final Ledger ledger;
  private final QuarantineReview quarantine;

  /** Creates a draft of the migration whose state the ledger holds. */
  public CertificateDraft(RunContext context, Ledger ledger, QuarantineReview quarantine) {
    this.context = context;
    this.ledger = ledger;
    this.quarantine = quarantine;
  }

  /**
   * Returns the certificate.
   *
   * @throws MigrationException.Mismatch if the tail check has found differences
   */
  Certificate write(Findings tail) {
    if (tail.differences() != 0) {
      throw new MigrationException.Mismatch(
          tail.differences()
              + " keys of "
              + context.collection()
              + " that changed since the comparison differ; nothing was moved: repair them and"
              + " verify again",
          tail.report(0, 0, Duration.ZERO));
    }
    MigrationConfig config = ledger.require(MigrationConfig.KEY);
    StreamProgress stream = ledger.require(StreamProgress.KEY);
    CopyTasks copy = CopyTasks.read(ledger);
    ChangeSource.Window window = context.await(() -> context.source().changes().window());
    return new Certificate(
        new Certificate.Subject(
            context.collection(),
            context.layout().withMapping(context.target().mapping()),
            config.incarnation(),
            config.topic().name(),
            stream.from(),
            new Certificate.Identity(
                config.requireCopy(),
                Objects.requireNonNull(stream.logId(), "logId"),
                config.requireTopicId())),
        ledger.require(VerifyRecord.KEY),
        copy == null
            ? null
            : new Certificate.Copied(
                copy.size(), copy.done(), copy.counts(), ledger.get(SnapshotRecord.KEY)),
        quarantine.run(),
        losses(),
        new Certificate.Horizons(
            window.oldest(),
            window.newest(),
            stream.position(),
            config.topic().retention(),
            context.target().tombstoneLifetime()),
        StoreClocks.measure(context),
        null,
        null);
  }

  /**
   * Returns the digests of the keys that are lost now, as a person has accepted.
   *
   * @throws MigrationException.Mismatch if one differs in another way
   */
  List<String> losses() {
    QuarantineReview.Losses losses = quarantine.losses();
    List<Difference> changed = losses.changed();
    if (!changed.isEmpty()) {
      throw new MigrationException.Mismatch(
          changed.size()
              + " keys of "
              + context.collection()
              + " differ in another way than it was accepted; nothing was moved: repair them and"
              + " verify again",
          new VerifyReport(
              0,
              0,
              changed.size(),
              DifferenceCounts.of(changed.stream().map(Difference::kind).toList()),
              changed,
              Duration.ZERO));
    }
    return losses.digests();
  }

  /** Returns the number of keys that are quarantined now. */
  int quarantined() {
    return quarantine.run();
  }
}
