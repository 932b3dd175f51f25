package dev.kvshift.demo;

import dev.kvshift.demo.Journal.Outcome;
import dev.kvshift.demo.Journal.Write;
import dev.kvshift.migrate.api.ProgressListener.State;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Judges the target by what the writers' journals say, and tells which keys they touched around and
 * after a fence. Memory grows with the keys that the writers own, which are a fixed number.
 */
final class JournalCheck implements Journal.Reader {
  private static final int LISTED = 100;

  /**
   * What was found.
   *
   * @param keys how many were checked
   * @param missing acknowledged, and not there
   * @param different there with another value
   * @param resurrected deleted or expired, and there
   * @param listed the first of them
   */
  record Findings(long keys, long missing, long different, long resurrected, List<String> listed) {
    long problems() {
      return missing + different + resurrected;
    }
  }

  private final Map<String, Instant> fences;
  private final Map<String, Instant> releases;
  private final List<LiveKey> keys = new ArrayList<>();
  private final List<Expected> expected = new ArrayList<>();
  private final List<LiveKey> touchedAfterFence = new ArrayList<>();
  private final Map<String, Duration> longestPause = new TreeMap<>();
  private final BitSet touched = new BitSet();
  private int first;

  private JournalCheck(Map<String, Instant> fences, Map<String, Instant> releases) {
    this.fences = fences;
    this.releases = releases;
  }

  /**
   * Reads the journals.
   *
   * @param fences by collection, when its fence was asked for
   * @param releases by collection, when its cutover had ended
   */
  static JournalCheck read(
      List<Path> journals, Map<String, Instant> fences, Map<String, Instant> releases)
      throws IOException {
    JournalCheck check = new JournalCheck(fences, releases);
    for (Path journal : journals) {
      check.first = check.keys.size();
      Journal.read(journal, check);
    }
    return check;
  }

  @Override
  public void key(int index, LiveKey key, boolean loaded) {
    keys.add(key);
    expected.add(new Expected(loaded ? Expected.State.live(0) : Expected.State.ABSENT));
  }

  @Override
  public void write(Write write, Outcome outcome, Instant end) {
    int index = first + write.key();
    switch (outcome) {
      case ACKNOWLEDGED -> expected.get(index).acknowledged(write.state(end));
      case UNKNOWN -> expected.get(index).unknown(write.state(end));
      case REFUSED -> {}
    }
    LiveKey key = keys.get(index);
    Instant fence = fences.get(key.collection());
    Instant release = releases.get(key.collection());
    if (fence == null || release == null || end.isBefore(fence)) {
      return;
    }
    if (!touched.get(index)) {
      touched.set(index);
      touchedAfterFence.add(key);
    }
    if (write.start().isBefore(release)) {
      longestPause.merge(
          key.collection(),
          Duration.between(write.start(), end),
          (one, other) -> one.compareTo(other) > 0 ? one : other);
    }
  }

  /** Keys with a write that was unfinished at the fence or came after it. */
  List<LiveKey> touchedAfterFence() {
    return touchedAfterFence;
  }

  /** The longest that any one write of the collection took, of those that met its cutover. */
  Duration longestPause(String collection) {
    return longestPause.getOrDefault(collection, Duration.ZERO);
  }

  /** Reads every key of the journals on the target. */
  Findings run(Collections target, ProgressLines progress) {
    long start = System.nanoTime();
    long missing = 0;
    long different = 0;
    long resurrected = 0;
    List<String> listed = new ArrayList<>();
    for (int i = 0; i < keys.size(); i++) {
      double seconds = (System.nanoTime() - start) / 1e9;
      progress.line("check 2: the journal", i, keys.size(), "keys", i / seconds, State.RUNNING);
      Instant from = Instant.now();
      Long found = target.revision(keys.get(i));
      Expected right = expected.get(i);
      if (right.allows(found, from, Instant.now())) {
        continue;
      }
      String kind = kind(right, found);
      switch (kind) {
        case "missing" -> missing++;
        case "different" -> different++;
        default -> resurrected++;
      }
      if (listed.size() < LISTED) {
        listed.add(
            kind + ": " + keys.get(i) + " holds revision " + found + ", the journal says " + right);
      }
    }
    return new Findings(keys.size(), missing, different, resurrected, listed);
  }

  private static String kind(Expected right, @Nullable Long found) {
    if (found == null) {
      return "missing";
    }
    return right.mayBeLive() ? "different" : "resurrected";
  }
}
