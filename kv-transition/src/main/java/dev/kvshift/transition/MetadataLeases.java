package dev.kvshift.transition;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.GateRecord;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.Metadata;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/**
 * The reports of the processes of one fleet, kept in a store's metadata for its {@link
 * MetadataGate}s: one record per process, which the process rewrites to renew its lease.
 *
 * <p>A store may order the changes of a group one by one, so the records are in {@value #GROUPS}
 * groups, and what processes only look at is read {@linkplain Metadata#committed() as it was
 * committed}: in one group, 200 processes lost their leases to each other. An instance stays in its
 * group. The records there have numbers, and a new process takes the lowest free one, so that there
 * are never more rows than processes that have run at once. Safe for use by many threads.
 */
final class MetadataLeases {
  private static final int GROUPS = 64;

  /** The records of one listing. */
  private static final int LISTED = 1_000;

  private static final int TRIES = 20;

  private final Metadata metadata;
  private final Map<String, Place> places = new TreeMap<>();
  private final AtomicLong beats = new AtomicLong();
  private CompletableFuture<?> last = CompletableFuture.completedFuture(null);

  /** The record of an instance, as this process has written it last. */
  private record Place(String name, Bytes written) {}

  MetadataLeases(Metadata metadata) {
    this.metadata = metadata;
  }

  /**
   * Writes the report of an instance of this process, and returns the states of its collections'
   * gates. They are read afterwards: a coordinator that takes a step in between sees the report.
   *
   * @param latest returns the report. It is asked once all earlier reports are written, so that
   *     none of them replaces a later one and hides a collection that has registered with it.
   */
  synchronized CompletionStage<Map<String, Gate.State>> report(Supplier<InstanceReport> latest) {
    CompletableFuture<InstanceReport> written =
        last.handle((before, error) -> latest.get())
            .thenCompose(report -> write(report).thenApply(done -> report));
    last = written;
    return written.thenCompose(
        report -> {
          CompletableFuture<Map<String, Gate.State>> states =
              CompletableFuture.completedFuture(new TreeMap<>());
          for (String collection : report.uses().keySet()) {
            states =
                states.thenCombine(
                    MetadataGate.committed(metadata, collection),
                    (found, state) -> {
                      found.put(collection, state);
                      return found;
                    });
          }
          return states;
        });
  }

  private CompletionStage<Void> write(InstanceReport report) {
    Place known;
    synchronized (this) {
      known = places.get(report.instance());
    }
    if (known == null) {
      return takePlace(report);
    }
    Bytes next = beat(report);
    return metadata
        .compareAndSet(known.name, known.written, next)
        .handle(
            (renewed, error) -> {
              if (error != null) {
                forget(report.instance());
                return CompletableFuture.<Void>failedFuture(Futures.unwrap(error));
              }
              if (!renewed) {
                forget(report.instance());
                return takePlace(report);
              }
              remember(report.instance(), new Place(known.name, next));
              return CompletableFuture.<Void>completedFuture(null);
            })
        .thenCompose(stage -> stage);
  }

  /**
   * Returns a report as text that was never written before. A gate would take one that is made
   * anew, after its record was removed, for the old one, and the process for gone.
   */
  private Bytes beat(InstanceReport report) {
    return GateText.print(new GateText.Beat(report, beats.incrementAndGet()));
  }

  private synchronized void forget(String instance) {
    places.remove(instance);
  }

  private synchronized void remember(String instance, Place place) {
    places.put(instance, place);
  }

  /**
   * Takes a place for an instance that has none, or does not know which: an unknown outcome may
   * have left it one, and a coordinator may have removed it.
   */
  private CompletionStage<Void> takePlace(InstanceReport report) {
    return list(metadata, group(report.instance()), new TreeMap<>(), "")
        .thenCompose(taken -> takePlace(report, taken, 1, TRIES));
  }

  private CompletionStage<Void> takePlace(
      InstanceReport report, SortedMap<String, Bytes> taken, int from, int tries) {
    for (Map.Entry<String, Bytes> each : taken.entrySet()) {
      GateText.Beat kept = GateText.parseBeat(each.getValue());
      if (kept.report().instance().equals(report.instance())) {
        beats.accumulateAndGet(kept.beat(), Math::max);
        remember(report.instance(), new Place(each.getKey(), each.getValue()));
        return write(report);
      }
    }
    int number = from;
    while (taken.containsKey(name(report.instance(), number))) {
      number++;
    }
    if (number > GateRecord.MAX_INSTANCES || tries == 0) {
      return CompletableFuture.failedFuture(
          new KvException.Transient(
              "many instances register at once, or more than "
                  + GateRecord.MAX_INSTANCES
                  + " have: try again"));
    }
    Place place = new Place(name(report.instance(), number), beat(report));
    int next = number + 1;
    return metadata
        .compareAndSet(place.name, null, place.written)
        .thenCompose(
            isFree -> {
              if (!isFree) {
                return takePlace(report, taken, next, tries - 1);
              }
              remember(report.instance(), place);
              return CompletableFuture.<Void>completedFuture(null);
            });
  }

  private static String group(String instance) {
    return group(Math.floorMod(instance.hashCode(), GROUPS));
  }

  private static String group(int number) {
    return "instance-" + number + "/";
  }

  private static String name(String instance, int number) {
    return group(instance) + String.format(Locale.ROOT, "%05d", number);
  }

  /** Reads all reports, by the names of their records. */
  CompletionStage<SortedMap<String, Bytes>> all() {
    Metadata committed = metadata.committed();
    CompletableFuture<SortedMap<String, Bytes>> all =
        CompletableFuture.completedFuture(new TreeMap<>());
    for (int group = 0; group < GROUPS; group++) {
      all =
          all.thenCombine(
              list(committed, group(group), new TreeMap<>(), ""),
              (found, more) -> {
                found.putAll(more);
                return found;
              });
    }
    return all;
  }

  private static CompletionStage<SortedMap<String, Bytes>> list(
      Metadata metadata, String group, SortedMap<String, Bytes> found, String after) {
    return metadata
        .list(group, after, LISTED)
        .thenCompose(
            page -> {
              found.putAll(page);
              return page.size() < LISTED
                  ? CompletableFuture.completedFuture(found)
                  : list(metadata, group, found, page.lastKey());
            });
  }

  /**
   * Returns the report of each instance by the name of its record: the newest one, if a change of
   * unknown outcome has left an instance with two records.
   */
  static Map<String, InstanceReport> newest(SortedMap<String, Bytes> records) {
    Map<String, GateText.Beat> beats = new HashMap<>();
    Map<String, String> names = new HashMap<>();
    records.forEach(
        (name, bytes) -> {
          GateText.Beat beat = GateText.parseBeat(bytes);
          String instance = beat.report().instance();
          GateText.Beat known = beats.get(instance);
          if (known == null || known.beat() < beat.beat()) {
            beats.put(instance, beat);
            names.put(instance, name);
          }
        });
    Map<String, InstanceReport> newest = new TreeMap<>();
    beats.forEach((instance, beat) -> newest.put(names.get(instance), beat.report()));
    return newest;
  }

  /** Removes a report that has not been renewed. */
  CompletionStage<Boolean> remove(String name, Bytes seen) {
    return metadata.compareAndSet(name, seen, null);
  }
}
