package dev.kvshift.migrate;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.model.Stores;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ForwardingCollection;
import dev.kvshift.spi.ForwardingStore;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.StoreProvider;
import dev.kvshift.spi.VersionClock;
import dev.kvshift.testkit.concurrent.Await;
import dev.kvshift.transition.TransitionProvider;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A service process that writes one key for each {@link Point}, in each collection, and is held
 * there until it has been frozen (SIGSTOP) and wakes. Says on its output what becomes of it.
 */
final class HeldService {
  /** The longest that its writes may take. */
  static final Duration DEADLINE = Duration.ofMinutes(3);

  /** The file in its folder on whose appearance it begins to write. */
  static final String BEGIN = "begin";

  static final String READY = "READY";
  static final String HELD = "HELD";
  static final String WRITTEN = "WRITTEN";
  static final String READ = "READ";
  static final String ENDED = "ENDED";
  static final String NOTHING = "-";

  static final Bytes LATE = Bytes.utf8("late");
  private static final Duration FROZEN = Duration.ofSeconds(5);
  private static final Duration TICK = Duration.ofMillis(50);

  private static final CompletableFuture<Void> AWAKE = new CompletableFuture<>();
  private static final Set<String> HELD_ONCE = ConcurrentHashMap.newKeySet();

  /** A point between two stores at which a write is held. */
  enum Point {
    BEFORE_OLD,
    AFTER_OLD,
    BEFORE_NEW,
    AFTER_NEW;

    Key key() {
      return Key.of(Bytes.utf8(name()), Bytes.utf8("register"));
    }

    boolean isAtNewSide() {
      return this == BEFORE_NEW || this == AFTER_NEW;
    }

    static Point at(boolean isNewSide, boolean isBefore) {
      if (isNewSide) {
        return isBefore ? BEFORE_NEW : AFTER_NEW;
      }
      return isBefore ? BEFORE_OLD : AFTER_OLD;
    }
  }

  private HeldService() {}

  /** Takes the strings of both sides, the layout, and the names of the collections. */
  public static void main(String[] args) {
    ConnectionString string = RealStoresTest.transition("held", args[0], args[1]);
    Layout layout = Layout.parse(args[2]);
    try (KvStore store = KvStore.over(new TransitionProvider().open(string, new HoldingSides()))) {
      List<KvCollection> all =
          Arrays.stream(args).skip(3).map(name -> store.collection(name, layout)).toList();
      say(READY);
      Path begin = Path.of(BEGIN);
      Await.until("the test lets it begin", () -> Files.exists(begin));
      startWatch();
      List<CompletableFuture<?>> writes = new ArrayList<>();
      all.forEach(items -> writes.addAll(write(items)));
      writes.forEach(CompletableFuture::join);
      all.forEach(HeldService::read);
      say(ENDED);
      Await.until("the test stops it", DEADLINE, () -> false);
    }
  }

  private static List<CompletableFuture<?>> write(KvCollection items) {
    return Arrays.stream(Point.values())
        .<CompletableFuture<?>>map(
            point -> {
              long called = System.nanoTime();
              return items
                  .async()
                  .put(point.key(), LATE, WriteOptions.timeout(DEADLINE))
                  .handle(
                      (done, error) -> {
                        say(WRITTEN, items.name(), point.name(), outcome(error), called);
                        return null;
                      })
                  .toCompletableFuture();
            })
        .toList();
  }

  private static String outcome(@Nullable Throwable error) {
    if (error == null) {
      return "done";
    }
    boolean isUnknown =
        error instanceof KvException.UnknownOutcome
            || error.getCause() instanceof KvException.UnknownOutcome;
    return isUnknown ? "unknown" : "failed";
  }

  private static void read(KvCollection items) {
    for (Point point : Point.values()) {
      long called = System.nanoTime();
      String value = items.get(point.key()).map(Bytes::toUtf8).orElse(NOTHING);
      say(READ, items.name(), point.name(), value, called);
    }
  }

  /** Prints a line: what, collection, point, outcome, call and answer in ns. */
  private static void say(String what, String name, String point, String outcome, long called) {
    say(String.join(" ", what, name, point, outcome, called + " " + System.nanoTime()));
  }

  private static synchronized void say(String line) {
    System.out.println(line);
  }

  /** Notices that the process was frozen, as the clock has advanced without it. */
  private static void startWatch() {
    Thread watch =
        new Thread(
            () -> {
              for (long last = System.nanoTime(); !AWAKE.isDone(); ) {
                LockSupport.parkNanos(TICK.toNanos());
                long now = System.nanoTime();
                if (now - last > FROZEN.toNanos()) {
                  AWAKE.complete(null);
                }
                last = now;
              }
            },
            "frozen-watch");
    watch.setDaemon(true);
    watch.start();
  }

  /** Opens both sides, whose writes are held at the key's point. */
  private static final class HoldingSides implements StoreProvider.Context {
    @Override
    public Store open(ConnectionString nested) {
      return new HoldingStore(Stores.open(nested), nested.scheme().equals("scylla"));
    }

    @Override
    public VersionClock clock() {
      return VersionClock.ofProcess();
    }
  }

  private static final class HoldingStore extends ForwardingStore {
    private final boolean isNewSide;

    HoldingStore(Store inner, boolean isNewSide) {
      super(inner);
      this.isNewSide = isNewSide;
    }

    @Override
    protected StoreCollection wrap(StoreCollection collection) {
      return new ForwardingCollection(collection) {
        @Override
        public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
          return hold(key, mutation, true)
              .thenCompose(let -> inner.write(key, mutation, call))
              .thenCompose(version -> hold(key, mutation, false).thenApply(let -> version));
        }

        private CompletionStage<Void> hold(StoreKey key, Mutation mutation, boolean isBefore) {
          Point point = Point.at(isNewSide, isBefore);
          if (!key.main().equals(point.key().main()) || !LATE.equals(mutation.value())) {
            return CompletableFuture.completedFuture(null);
          }
          if (HELD_ONCE.add(name() + point)) {
            say(HELD + " " + name() + " " + point);
          }
          return AWAKE;
        }
      };
    }
  }
}
