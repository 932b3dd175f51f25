package dev.kvshift.migrate.internal.apply;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.internal.ledger.ChangeCount;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The metadata committed with an offset, from which other runners learn the partition's progress:
 * {@code WATERMARK ATTEMPT COUNT}, with {@code - 0} if no marker was passed, then, if it is known,
 * {@code HIGHEST CHANGES SUM} of the changes that the partition has brought.
 *
 * @param watermark the partition's last watermark
 * @param marker the partition's last marker, or null if there was none
 * @param seen the changes below the offset; null if a version without counts has committed it
 */
record CommitNote(long watermark, @Nullable PassedMarker marker, @Nullable ChangeCount seen) {
  private static final String NONE = "-";
  private static final int PARTS_WITHOUT_COUNT = 3;

  /**
   * Parses the metadata of a committed offset.
   *
   * @param start the watermark if nothing was committed yet
   * @throws KvException.Permanent if another program has committed it
   */
  static CommitNote parse(String text, long start) {
    if (text.isEmpty()) {
      return new CommitNote(start, null, null);
    }
    String[] parts = text.split(" ", -1);
    if (parts.length < PARTS_WITHOUT_COUNT) {
      throw foreign(null);
    }
    try {
      return parse(parts);
    } catch (IllegalArgumentException e) {
      throw foreign(e);
    }
  }

  private static KvException foreign(@Nullable Throwable cause) {
    return new KvException.Permanent(
        "the group's committed offset has a note that the runner did not write: let no other client"
            + " commit for the group, and prepare the migration again",
        cause);
  }

  private static CommitNote parse(String[] parts) {
    long watermark = Long.parseLong(parts[0]);
    return new CommitNote(
        watermark,
        parts[1].equals(NONE)
            ? null
            : new PassedMarker(parts[1], watermark, Integer.parseInt(parts[2])),
        parts.length == PARTS_WITHOUT_COUNT
            ? null
            : ChangeCount.of(
                Stream.of(parts).skip(PARTS_WITHOUT_COUNT).map(Long::valueOf).toList()));
  }

  String print() {
    return watermark
        + " "
        + (marker == null ? NONE : marker.attempt())
        + " "
        + (marker == null ? 0 : marker.count())
        + (seen == null
            ? ""
            : seen.numbers().stream().map(number -> " " + number).collect(Collectors.joining()));
  }
}
