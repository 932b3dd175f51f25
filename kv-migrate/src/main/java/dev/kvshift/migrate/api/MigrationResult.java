package dev.kvshift.migrate.api;

import java.time.Duration;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;

/**
 * The result of a whole run.
 *
 * @param collection the collection's name
 * @param copy the result of the copy
 * @param changesStreamed changes this run sent to the topic
 * @param changesApplied changes this run read from the topic and settled, duplicates included
 * @param verify the comparison before the cutover
 * @param cutover the cutover
 * @param steps time taken by each step; stream and apply run beside the others and have none
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
  /** Copies the map. */
  public MigrationResult {
    EnumMap<Step, Duration> copyOfSteps = new EnumMap<>(Step.class);
    copyOfSteps.putAll(steps);
    steps = Collections.unmodifiableMap(copyOfSteps);
  }
}
