package dev.kvshift.migrate.api;

import dev.kvshift.transition.MergePass;
import java.time.Instant;

/**
 * The subject of a certificate of a migration without a leader: a pass over all keys of both sides.
 *
 * @param collection the collection's name
 * @param copy the id of the copy that fills the target
 * @param isOfMove whether the target serves alone under it; false if the collection was taken back
 *     from the merge of both sides
 * @param source the store that the collection leaves, and its layout there
 * @param target the store that it moves to, and its layout there
 * @param epoch the epoch that every process had entered when the pass began, or its lease was over
 * @param instances the number of processes that were alive when it ended
 * @param counts what it has found, and brought to the side that lacked it
 * @param began when it began, by the clock of the machine that began it
 * @param ended when it ended, by the clock of the machine that ended it
 * @param by the user and the machine that ended it
 */
public record ClockCertificateReport(
    String collection,
    String copy,
    boolean isOfMove,
    String source,
    String target,
    long epoch,
    int instances,
    MergePass.Counts counts,
    Instant began,
    Instant ended,
    String by) {}
