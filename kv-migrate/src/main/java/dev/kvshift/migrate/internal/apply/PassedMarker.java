package dev.kvshift.migrate.internal.apply;

import dev.kvshift.migrate.internal.stream.TopicRecord;

/**
 * The marker that a reader has passed on one partition.
 *
 * @param attempt the name of the attempt
 * @param position the fence's position in the change log
 * @param count number of partitions that got a marker of the attempt
 */
public record PassedMarker(String attempt, long position, int count) {
  /** Returns the part of a marker that a reader keeps. */
  public static PassedMarker of(TopicRecord.Marker marker) {
    return new PassedMarker(marker.attempt(), marker.position(), marker.count());
  }
}
