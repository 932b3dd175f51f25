package dev.kvshift.demo.writer;

import dev.kvshift.demo.catalog.CatalogCollection;
import dev.kvshift.demo.catalog.CatalogKey;
import dev.kvshift.demo.catalog.ClassFileCatalog;
import dev.kvshift.demo.progress.StepProgress;
import dev.kvshift.demo.writer.Journal.Outcome;
import dev.kvshift.migrate.api.Difference;
import dev.kvshift.migrate.api.DifferenceCounts;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The check of the target by the live writer's journals, which also say which keys were written
 * after the old store had stopped and how long writes took. Memory grows with the writer's keys,
 * whose number is fixed. Used by one thread.
 */
public final class JournalCheck {
  private static final int MAX_LISTED = 100;

  private final Map<CatalogCollection, CutoverTimes> cutovers;
  private final List<CatalogKey> keys = new ArrayList<>();
  private final List<ExpectedValue> expected = new ArrayList<>();
  private final BitSet writtenAfterStop = new BitSet();
  private final Map<CatalogCollection, LongestWrite> longestWrites =
      new EnumMap<>(CatalogCollection.class);
  private final WriteTimes steady = new WriteTimes();

  private JournalCheck(Map<CatalogCollection, CutoverTimes> cutovers) {
    this.cutovers = cutovers;
  }

  /**
   * Reads the journals.
   *
   * @param cutovers the cutover of each collection that has moved
   */
  public static JournalCheck read(
      List<Path> journals, Map<CatalogCollection, CutoverTimes> cutovers) throws IOException {
    JournalCheck check = new JournalCheck(cutovers);
    for (Path journal : journals) {
      Journal.read(journal, check.new Reader());
    }
    return check;
  }

  /** Reads one journal, whose keys follow those of the journals before it. */
  private final class Reader implements Journal.Visitor {
    private final int firstKey = keys.size();

    @Override
    public void key(CatalogKey key, boolean loaded) {
      keys.add(key);
      expected.add(new ExpectedValue(loaded));
    }

    @Override
    public void write(JournaledWrite write, Outcome outcome, Instant ended) {
      int index = firstKey + write.key();
      switch (outcome) {
        case ACKNOWLEDGED -> expected.get(index).acknowledged(write.result(ended));
        case UNKNOWN -> expected.get(index).unknown(write.result(ended));
        case REFUSED -> {}
      }
      CatalogCollection collection = keys.get(index).collection();
      CutoverTimes cutover = cutovers.get(collection);
      if (cutover == null) {
        return;
      }
      if (!ended.isBefore(cutover.stopped())) {
        writtenAfterStop.set(index);
      }
      Duration took = Duration.between(write.sent(), ended);
      Optional<String> step = cutover.stepDuring(write.sent(), ended);
      if (step.isPresent()) {
        longestWrites.merge(collection, new LongestWrite(took, step.get()), LongestWrite::longer);
      } else {
        steady.add(took);
      }
    }
  }

  /**
   * Returns the collection's keys with a write that was in flight when the old store stopped, or
   * came later.
   */
  public List<CatalogKey> writtenAfterStop(CatalogCollection collection) {
    return writtenAfterStop.stream()
        .mapToObj(keys::get)
        .filter(key -> key.collection() == collection)
        .toList();
  }

  /**
   * Returns the time that 99.9 % of the writes between the steps of both collections did not
   * exceed.
   */
  public Duration steadyWrite() {
    return steady.percentile(0.999);
  }

  /** Returns the longest write that was in flight during a step of the collection. */
  public LongestWrite longestWrite(CatalogCollection collection) {
    return longestWrites.getOrDefault(collection, LongestWrite.NONE);
  }

  /** Returns the number of keys in the journals. */
  public int keyCount() {
    return keys.size();
  }

  /** Reads every key of the journals on the target and compares. */
  public JournalFindings run(ClassFileCatalog target, StepProgress progress) {
    DifferenceCounts counts = DifferenceCounts.NONE;
    List<String> listed = new ArrayList<>();
    for (int i = 0; i < keys.size(); i++) {
      progress.advance(i);
      Instant from = Instant.now();
      OptionalLong found = target.revision(keys.get(i));
      ExpectedValue right = expected.get(i);
      if (right.allows(found, from, Instant.now())) {
        continue;
      }
      Difference.Kind kind = kind(right, found);
      counts = counts.plus(DifferenceCounts.of(List.of(kind)));
      if (listed.size() < MAX_LISTED) {
        listed.add(
            kind.name().toLowerCase(Locale.ROOT)
                + ": "
                + keys.get(i)
                + ": "
                + right.describeMismatch(found));
      }
    }
    progress.end(keys.size());
    return new JournalFindings(keys.size(), counts, listed);
  }

  private static Difference.Kind kind(ExpectedValue right, OptionalLong found) {
    if (found.isEmpty()) {
      return Difference.Kind.MISSING;
    }
    return right.mayBeLive() ? Difference.Kind.DIFFERENT : Difference.Kind.RESURRECTED;
  }
}
