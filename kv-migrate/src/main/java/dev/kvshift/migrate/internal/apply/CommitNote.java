package dev.kvshift.migrate.internal.apply;

import org.jspecify.annotations.Nullable;

/**
 * The metadata committed with an offset, from which other runners learn the partition's progress:
 * {@code WATERMARK ATTEMPT COUNT}, with {@code - 0} if no marker was passed.
 *
 * @param watermark the partition's last watermark
 * @param marker the partition's last marker, or null if there was none
 */
record CommitNote(long watermark, @Nullable PassedMarker marker) {
  private static final String NONE = "-";

  /**
   * Parses the metadata of a committed offset.
   *
   * @param start the watermark if nothing was committed yet
   */
  static CommitNote parse(String text, long start) {
    if (text.isEmpty()) {
      return new CommitNote(start, null);
    }
    String[] parts = text.split(" ", -1);
    long watermark = Long.parseLong(parts[0]);
    return new CommitNote(
        watermark,
        parts[1].equals(NONE)
            ? null
            : new PassedMarker(parts[1], watermark, Integer.parseInt(parts[2])));
  }

  String print() {
    return watermark
        + " "
        + (marker == null ? NONE : marker.attempt())
        + " "
        + (marker == null ? 0 : marker.count());
  }
}
