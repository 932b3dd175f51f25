package dev.kvshift.transition;

import dev.kvshift.api.KvException;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Store;
import dev.kvshift.transition.Reported.Keeper;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps this process's lease at each keeper of a gate: reports about once a second on each of its
 * collections and lock spaces, and passes the returned states to them. Reports at once when a reply
 * shows a newer epoch. The old store's leader and the new store are asked apart, so that an outage
 * of one costs no lease at the other.
 *
 * <p>Reports are spread over time, so that a fleet that was started together does not report
 * together; while a keeper fails, the pauses grow up to {@link #LONGEST_PAUSE}. Safe for use by
 * many threads.
 */
final class Reporter implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Reporter.class);

  /** The longest time between two reports while the keeper answers. */
  private static final Duration PAUSE = Duration.ofSeconds(1);

  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(8);

  /** The pause before a report that requests wait for, while reports fail. */
  private static final Duration SOON = Duration.ofMillis(250);

  private final Side oldSide;
  private final Side newSide;
  private final @Nullable String weakness;
  private final InstanceReport self;
  private final Map<String, Reported> collections = new ConcurrentHashMap<>();

  /** The collections that are being opened: reported from registration on, until added. */
  private final Map<String, Opening> registering = new ConcurrentHashMap<>();

  /** The collections whose gate the new store does not hold. */
  private final Set<String> unbegun = ConcurrentHashMap.newKeySet();

  private @Nullable MetadataLeases leases;
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "kvshift-reports");
            thread.setDaemon(true);
            return thread;
          });
  private final Map<Keeper, Beats> beats = new EnumMap<>(Keeper.class);

  private record Opening(Keeper keeper, InstanceReport.Use use) {}

  /**
   * Creates a reporter.
   *
   * @param newSide the side whose weakness is reported as the problem of every collection
   */
  Reporter(Side oldSide, Side newSide, String service) {
    this.oldSide = oldSide;
    this.newSide = newSide;
    this.weakness = newSide.weakness();
    String library = Reporter.class.getPackage().getImplementationVersion();
    this.self =
        InstanceReport.of(UUID.randomUUID().toString(), service)
            .withLibrary(library == null ? "" : library)
            .withNewestPhase(Phase.NEW_ONLY);
    for (Keeper keeper : Keeper.values()) {
      beats.put(keeper, new Beats(keeper));
    }
    beats.values().forEach(each -> each.schedule(PAUSE));
  }

  /** Registers the process with a collection that it is about to open, and returns its state. */
  CompletionStage<Gate.State> register(Keeper keeper, String collection, InstanceReport.Use use) {
    registering.put(collection, new Opening(keeper, use));
    return send(keeper)
        .whenComplete(
            (states, error) -> {
              if (error != null) {
                registering.remove(collection);
              }
            })
        .thenApply(
            states -> {
              Gate.State state = states.get(collection);
              if (state == null) {
                Store old = oldSide.openedOrNull();
                throw new KvException.Permanent(
                    (old == null ? "the old store" : old.description())
                        + " holds no collection "
                        + collection
                        + ": check its name and the old= string");
              }
              return state;
            });
  }

  /** Reports a collection no longer whose opening has failed after its registration. */
  void forget(String collection) {
    registering.remove(collection);
  }

  private CompletionStage<Map<String, Gate.State>> send(Keeper keeper) {
    return keeper == Keeper.LEADER
        ? oldSide.store().thenCompose(old -> old.report(report(keeper, Set.of())))
        : newSide
            .store()
            .thenCompose(
                fresh ->
                    begin(fresh)
                        .thenCompose(
                            begun -> leasesIn(fresh).report(() -> report(keeper, unbegun))));
  }

  /**
   * Makes sure that the new store holds the gates. A collection whose gate it does not hold is not
   * reported, and costs the others no lease. Fails if there is no other.
   */
  private CompletionStage<?> begin(Store fresh) {
    List<CompletableFuture<?>> begun =
        collections.values().stream()
            .filter(collection -> collection.keeper() == Keeper.NEW_STORE)
            .<CompletableFuture<?>>map(
                collection ->
                    Futures.start(() -> collection.beginOnNew(fresh).thenApply(done -> done))
                        .whenComplete((done, error) -> begun(collection, error))
                        .toCompletableFuture())
            .toList();
    CompletableFuture<?> all = CompletableFuture.allOf(begun.toArray(CompletableFuture[]::new));
    return all.handle(
            (done, error) ->
                error != null && report(Keeper.NEW_STORE, unbegun).uses().isEmpty()
                    ? CompletableFuture.failedFuture(error)
                    : CompletableFuture.completedFuture(null))
        .thenCompose(ended -> ended);
  }

  private void begun(Reported collection, @Nullable Throwable error) {
    if (error == null) {
      unbegun.remove(collection.name());
    } else {
      if (unbegun.add(collection.name())) {
        LOG.warn(
            "collection {} keeps no lease, and is tried again: {}",
            collection.name(),
            Futures.readFailure(error).getMessage());
      }
      collection.notReported();
    }
  }

  private synchronized MetadataLeases leasesIn(Store store) {
    if (leases == null) {
      leases = new MetadataLeases(store.metadata());
    }
    return leases;
  }

  /** Reports the collection from now on, and checks its new side at once. */
  void add(Reported collection) {
    collections.put(collection.name(), collection);
    registering.remove(collection.name());
    collection.listen(() -> beats(collection).reportNow(), () -> beats(collection).reportSoon());
    beats(collection).reportNow();
  }

  private Beats beats(Reported collection) {
    return beats.get(collection.keeper());
  }

  private InstanceReport report(Keeper keeper, Set<String> without) {
    InstanceReport report = self;
    for (Map.Entry<String, Opening> opening : registering.entrySet()) {
      if (opening.getValue().keeper == keeper) {
        report = report.withUse(opening.getKey(), opening.getValue().use);
      }
    }
    for (Reported collection : collections.values()) {
      boolean isKept = collection.keeper() == keeper && !without.contains(collection.name());
      InstanceReport.Use use = isKept ? collection.report() : null;
      if (use != null) {
        report =
            report.withUse(collection.name(), weakness == null ? use : use.withProblem(weakness));
      }
    }
    return report;
  }

  /** The reports to one keeper. */
  private final class Beats {
    private final Keeper keeper;
    private @Nullable ScheduledFuture<?> next;
    private boolean reporting;
    private boolean again;
    private boolean soon;
    private int failures;

    Beats(Keeper keeper) {
      this.keeper = keeper;
    }

    /** Reports without a pause, such as when a reply has shown an epoch that is not known yet. */
    private synchronized void reportNow() {
      if (reporting) {
        again = true;
      } else {
        schedule(Duration.ZERO);
      }
    }

    /**
     * Reports soon, because requests wait for it: at once, or after a short pause while reports
     * fail.
     */
    private synchronized void reportSoon() {
      if (!reporting && !soon) {
        soon = true;
        schedule(failures == 0 ? Duration.ZERO : SOON);
      }
    }

    private synchronized void schedule(Duration pause) {
      if (timer.isShutdown()) {
        return;
      }
      if (next != null) {
        next.cancel(false);
      }
      next = timer.schedule(this::beat, pause.toNanos(), TimeUnit.NANOSECONDS);
    }

    private void beat() {
      synchronized (this) {
        reporting = true;
        again = false;
        soon = false;
      }
      Futures.start(this::send).whenComplete((sent, error) -> ended(error));
    }

    private CompletionStage<?> send() {
      kept().forEach(collection -> collection.prepareNewSide(this::reportNow));
      boolean isAsked = keeper == Keeper.NEW_STORE || oldSide.openedOrNull() != null;
      if (!isAsked || report(keeper, Set.of()).uses().isEmpty()) {
        return Futures.after(Duration.ZERO);
      }
      Lease.Moment sent = Lease.Moment.now();
      return Reporter.this
          .send(keeper)
          .thenAccept(
              states ->
                  states.forEach(
                      (name, state) -> {
                        Reported collection = collections.get(name);
                        if (collection != null && collection.reported(keeper, state, sent)) {
                          beats(collection).reportNow();
                        }
                      }));
    }

    private List<Reported> kept() {
      return collections.values().stream()
          .filter(collection -> collection.keeper() == keeper)
          .toList();
    }

    private void ended(@Nullable Throwable error) {
      if (error != null) {
        kept().forEach(Reported::notReported);
        if (Futures.unwrap(error) instanceof KvException) {
          LOG.debug("the report of {} failed and is tried again", self.service(), error);
        } else {
          LOG.warn(
              "the report of {} failed unexpectedly and is tried again", self.service(), error);
        }
      }
      synchronized (this) {
        reporting = false;
        failures = error == null ? 0 : failures + 1;
        schedule(again ? Duration.ZERO : pause(failures));
      }
    }
  }

  /** Returns half of the pause to all of it; the pause doubles with each failure in a row. */
  private static Duration pause(int failures) {
    long longest = PAUSE.toMillis() << Math.min(failures, 3);
    long millis = Math.min(longest, LONGEST_PAUSE.toMillis());
    return Duration.ofMillis(ThreadLocalRandom.current().nextLong(millis / 2, millis + 1));
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }
}
