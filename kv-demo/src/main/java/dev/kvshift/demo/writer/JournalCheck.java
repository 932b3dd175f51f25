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
import java.util.OptionalLong;

/**
 * The check of the target by the live writer's journals, which also say which keys were written
 * after a fence and how long writes waited. Memory grows with the writer's keys, whose number is
 * fixed. Used by one thread.
 */
public final class JournalCheck {
  private static final int MAX_LISTED = 100;

  private final Map<CatalogCollection, CutoverTimes> cutovers;
  private final List<CatalogKey> keys = new ArrayList<>();
  private final List<ExpectedValue> expected = new ArrayList<>();
  private final BitSet writtenAfterFence = new BitSet();
  private final Map<CatalogCollection, Duration> longestWrites =
      new EnumMap<>(CatalogCollection.class);

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
      if (cutover == null || ended.isBefore(cutover.fenced())) {
        return;
      }
      writtenAfterFence.set(index);
      if (write.sent().isBefore(cutover.released())) {
        longestWrites.merge(
            collection,
            Duration.between(write.sent(), ended),
            (one, other) -> one.compareTo(other) > 0 ? one : other);
      }
    }
  }

  /** Returns the collection's keys with a write that was in flight at the fence or came later. */
  public List<CatalogKey> writtenAfterFence(CatalogCollection collection) {
    return writtenAfterFence.stream()
        .mapToObj(keys::get)
        .filter(key -> key.collection() == collection)
        .toList();
  }

  /** Returns the time of the longest write that was in flight during the collection's cutover. */
  public Duration longestWrite(CatalogCollection collection) {
    return longestWrites.getOrDefault(collection, Duration.ZERO);
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
