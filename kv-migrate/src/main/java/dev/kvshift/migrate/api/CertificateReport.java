package dev.kvshift.migrate.api;

import dev.kvshift.transition.MergePass;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The subject of a certificate.
 *
 * @param collection the collection's name
 * @param copy the id of the copy that was compared
 * @param attempt the attempt to move that the certificate was written for
 * @param floor F, the version above which the target issues its own
 * @param losses the digests of the keys that the target did not have as the source had them, which
 *     a person had accepted
 * @param snapshot the snapshot that rows were copied from; null if all were copied from the source
 * @param at when the last check ended, inside the fence
 * @param back how the collection was taken back after the move; null if the certificate is of the
 *     move alone
 */
public record CertificateReport(
    String collection,
    String copy,
    String attempt,
    long floor,
    List<String> losses,
    @Nullable CopiedSnapshot snapshot,
    Instant at,
    @Nullable Back back) {
  /**
   * The way back after a move: a pass over all keys of both sides.
   *
   * @param counts what it has found, and brought to the side that lacked it
   * @param epoch the epoch in which it ran, and which ended the move
   * @param began when it began
   * @param ended when it ended
   * @param by the user and the machine
   */
  public record Back(
      MergePass.Counts counts, long epoch, Instant began, Instant ended, String by) {}

  /** Copies the list. */
  public CertificateReport {
    losses = List.copyOf(losses);
  }
}
