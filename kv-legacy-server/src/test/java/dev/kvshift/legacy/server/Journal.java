package dev.kvshift.legacy.server;

import dev.kvshift.api.Bytes;
import dev.kvshift.spi.Row;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The knowledge of a key's only writer: its last acknowledged write, and those after it. */
public final class Journal {
  private @Nullable Bytes acknowledged;
  private long acknowledgedVersion;
  private final List<Attempt> unknown = new ArrayList<>();
  private final List<Attempt> allAcknowledged = new ArrayList<>();

  /** A write: its value, or null for a delete; its version, or 0 where none was learned. */
  record Attempt(@Nullable Bytes value, long version) {}

  synchronized void acknowledge(@Nullable Bytes value, long version) {
    if (version <= acknowledgedVersion) {
      throw new AssertionError(
          "version " + version + " came after " + acknowledgedVersion + " for the same key");
    }
    acknowledged = value;
    acknowledgedVersion = version;
    unknown.clear();
    allAcknowledged.add(new Attempt(value, version));
  }

  synchronized void unknown(@Nullable Bytes value) {
    unknown.add(new Attempt(value, 0));
  }

  synchronized List<Attempt> allAcknowledged() {
    return List.copyOf(allAcknowledged);
  }

  /** Returns what is wrong with a row as it was read, or null. */
  synchronized @Nullable String check(@Nullable Row row) {
    long version = row == null ? 0 : row.version();
    Bytes value = row == null ? null : row.value();
    if (version == acknowledgedVersion) {
      return Objects.equals(value, acknowledged)
          ? null
          : "has " + value + ", acknowledged was " + acknowledged + " at the same version";
    }
    if (version < acknowledgedVersion) {
      return "went back to version " + version + " from " + acknowledgedVersion;
    }
    for (Attempt attempt : unknown) {
      if (Objects.equals(attempt.value, value)) {
        return null;
      }
    }
    return "has " + value + " at " + version + ", which nobody wrote";
  }
}
