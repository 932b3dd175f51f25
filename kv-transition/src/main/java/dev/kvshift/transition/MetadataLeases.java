package dev.kvshift.transition;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.GateRecord;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.Metadata;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;

/**
 * The reports of the processes of one fleet, kept in a store's metadata for its {@link
 * MetadataGate}s: one record per process, which the process rewrites to renew its lease. Records
 * have numbers, and a new process takes the lowest free one, so that there are never more rows than
 * processes that have run at once. Safe for use by many threads.
 */
final class MetadataLeases {
  /** The records of one listing. */
  private static final int LISTED = 1_000;

  private static final String GROUP = "instance/";
  private static final int TRIES = 20;

  /**
   * The first beat of a record is a random one below this. A gate that has seen the record before
   * it was removed would otherwise take the new one, of the same text, for the old one, and the
   * process for gone.
   */
  private static final long FIRST_BEATS = 1L << 60;

  private final Metadata metadata;
  private final Map<String, Place> places = new TreeMap<>();
  private CompletableFuture<?> last = CompletableFuture.completedFuture(null);

  /** The record of an instance, as this process has written it last. */
  private record Place(String name, Bytes written, long beat) {}

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
                    MetadataGate.read(metadata, collection),
                    (found, gate) -> {
                      found.put(collection, gate.record().state());
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
    Bytes next = GateText.print(new GateText.Beat(report, known.beat + 1));
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
              remember(report.instance(), new Place(known.name, next, known.beat + 1));
              return CompletableFuture.<Void>completedFuture(null);
            })
        .thenCompose(stage -> stage);
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
    return all().thenCompose(taken -> takePlace(report, taken, 1, TRIES));
  }

  private CompletionStage<Void> takePlace(
      InstanceReport report, SortedMap<String, Bytes> taken, int from, int tries) {
    for (Map.Entry<String, Bytes> each : taken.entrySet()) {
      GateText.Beat kept = GateText.parseBeat(each.getValue());
      if (kept.report().instance().equals(report.instance())) {
        remember(report.instance(), new Place(each.getKey(), each.getValue(), kept.beat()));
        return write(report);
      }
    }
    int number = from;
    while (taken.containsKey(name(number))) {
      number++;
    }
    if (number > GateRecord.MAX_INSTANCES || tries == 0) {
      return CompletableFuture.failedFuture(
          new KvException.Transient(
              "many instances register at once, or more than "
                  + GateRecord.MAX_INSTANCES
                  + " have: try again"));
    }
    long first = ThreadLocalRandom.current().nextLong(FIRST_BEATS);
    Place place = new Place(name(number), GateText.print(new GateText.Beat(report, first)), first);
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

  private static String name(int number) {
    return GROUP + String.format(Locale.ROOT, "%05d", number);
  }

  /** Reads all reports, by the names of their records. */
  CompletionStage<SortedMap<String, Bytes>> all() {
    return all(new TreeMap<>(), "");
  }

  private CompletionStage<SortedMap<String, Bytes>> all(
      SortedMap<String, Bytes> found, String after) {
    return metadata
        .list(GROUP, after, LISTED)
        .thenCompose(
            page -> {
              found.putAll(page);
              return page.size() < LISTED
                  ? CompletableFuture.completedFuture(found)
                  : all(found, page.lastKey());
            });
  }

  /** Removes a report that has not been renewed. */
  CompletionStage<Boolean> remove(String name, Bytes seen) {
    return metadata.compareAndSet(name, seen, null);
  }
}
