package dev.kvshift.migrate.api;

import java.time.Instant;
import java.util.List;

/**
 * The subject of a certificate.
 *
 * @param collection the collection's name
 * @param copy the id of the copy that was compared
 * @param attempt the attempt to move that the certificate was written for
 * @param floor F, the version above which the target issues its own
 * @param losses the digests of the keys that the target did not have as the source had them, which
 *     a person had accepted
 * @param at when the last check ended, inside the fence
 */
public record CertificateReport(
    String collection, String copy, String attempt, long floor, List<String> losses, Instant at) {
  /** Copies the list. */
  public CertificateReport {
    losses = List.copyOf(losses);
  }
}
