package dev.kvshift.migrate.api;

import java.time.Duration;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;

/**
 * What a whole run has done.
 *
 * @param collection the collection's name
 * @param copy the copy's accounting
 * @param changesStreamed changes sent to the topic in this run
 * @param changesApplied changes read from the topic and settled in this run, duplicates included
 * @param verify the comparison before the cutover
 * @param cutover the cutover
 * @param steps how long each step took; stream and apply go on beside the others and have no time
 *     of their own
 * @param certificate the certificate under which the collection moved, JSON
 */
public record MigrationResult(
    String collection,
    CopyReport copy,
    long changesStreamed,
    long changesApplied,
    VerifyReport verify,
    CutoverReport cutover,
    Map<Step, Duration> steps,
    String certificate) {
  public MigrationResult {
    EnumMap<Step, Duration> copyOfSteps = new EnumMap<>(Step.class);
    copyOfSteps.putAll(steps);
    steps = Collections.unmodifiableMap(copyOfSteps);
  }
}
