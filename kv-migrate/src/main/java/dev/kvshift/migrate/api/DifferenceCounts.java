package dev.kvshift.migrate.api;

import java.util.Collection;
import java.util.EnumMap;
import java.util.Map;

/**
 * The number of differing keys, by kind.
 *
 * @param missing keys live on the source and absent on the target
 * @param extra keys live on the target that the source neither holds nor deleted later
 * @param different keys live on both sides with another value, version or expiry
 * @param resurrected keys live on the target although a later delete or expiry on the source ended
 *     them
 */
public record DifferenceCounts(long missing, long extra, long different, long resurrected) {
  /** Counts no difference. */
  public static final DifferenceCounts NONE = new DifferenceCounts(0, 0, 0, 0);

  /** Counts the kinds. */
  public static DifferenceCounts of(Collection<Difference.Kind> kinds) {
    Map<Difference.Kind, Long> counts = new EnumMap<>(Difference.Kind.class);
    kinds.forEach(kind -> counts.merge(kind, 1L, Long::sum));
    return new DifferenceCounts(
        counts.getOrDefault(Difference.Kind.MISSING, 0L),
        counts.getOrDefault(Difference.Kind.EXTRA, 0L),
        counts.getOrDefault(Difference.Kind.DIFFERENT, 0L),
        counts.getOrDefault(Difference.Kind.RESURRECTED, 0L));
  }

  /** Returns the sum of both counts. */
  public DifferenceCounts plus(DifferenceCounts other) {
    return new DifferenceCounts(
        missing + other.missing,
        extra + other.extra,
        different + other.different,
        resurrected + other.resurrected);
  }

  /** Returns the number of keys that differ. */
  public long total() {
    return missing + extra + different + resurrected;
  }
}
