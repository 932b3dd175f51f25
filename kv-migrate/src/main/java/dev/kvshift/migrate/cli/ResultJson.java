package dev.kvshift.migrate.cli;

import dev.kvshift.migrate.api.DifferenceCounts;
import dev.kvshift.migrate.api.MigrationResult;
import dev.kvshift.migrate.api.WritePause;
import dev.kvshift.migrate.internal.ledger.Certificate;
import dev.kvshift.migrate.internal.ledger.Members;

/**
 * The result of a run for programs: {@code collection}, {@code records}, {@code missing}, {@code
 * extra}, {@code different}, {@code resurrected}, {@code changesStreamed}, {@code changesApplied},
 * {@code writePauseMillis}, {@code pauseMillis} by part, {@code steps} in milliseconds, {@code
 * copy} and {@code certificate}.
 */
final class ResultJson {
  private ResultJson() {}

  static String print(MigrationResult result) {
    DifferenceCounts differences = result.verify().counts();
    WritePause pause = result.cutover().pause();
    Members steps = new Members();
    result.steps().forEach((step, took) -> steps.with(step.word(), took.toMillis()));
    return new Members()
        .with("collection", result.collection())
        .with("records", result.verify().targetRows())
        .with("missing", differences.missing())
        .with("extra", differences.extra())
        .with("different", differences.different())
        .with("resurrected", differences.resurrected())
        .with("changesStreamed", result.changesStreamed())
        .with("changesApplied", result.changesApplied())
        .with("writePauseMillis", pause.total().toMillis())
        .with(
            "pauseMillis",
            new Members()
                .with("fenced", pause.fenced().toMillis())
                .with("drained", pause.drained().toMillis())
                .with("tailChecked", pause.tailChecked().toMillis())
                .with("moved", pause.moved().toMillis())
                .with("activated", result.cutover().activated().toMillis()))
        .with("steps", steps)
        .with("copy", Certificate.print(result.copy().counts()))
        .withJson("certificate", result.certificate())
        .toString();
  }
}
