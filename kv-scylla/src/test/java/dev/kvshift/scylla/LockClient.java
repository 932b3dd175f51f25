package dev.kvshift.scylla;

import static dev.kvshift.scylla.TestStores.await;

import com.datastax.oss.driver.api.core.config.OptionsMap;
import com.datastax.oss.driver.api.core.config.TypedDriverOption;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvObserver;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Lock;
import dev.kvshift.api.LockResult;
import dev.kvshift.scylla.internal.session.Sessions;
import dev.kvshift.scylla.internal.session.Settings;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.StoreLocks;
import dev.kvshift.spi.VersionClock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/**
 * A process that counts under locks until it is stopped, and records each step before and after it.
 * Its arguments are the connection string, a folder, its name and its seed. A count is a row's new
 * value: its number, its own name and the name of the count that it follows.
 *
 * <p>If the folder has a file {@code hold-NAME}, the process stops at one of its next requests
 * until that file is deleted, and creates a file {@code held-NAME} when it does.
 */
public final class LockClient {
  public static final int KEYS = 2;
  public static final Duration LEASE = Duration.ofMillis(600);
  public static final String COLLECTION = "counts";
  private static final Duration TIMEOUT = Duration.ofSeconds(4);
  private static final Duration POLL = Duration.ofMillis(2);
  private static final int REQUESTS_OF_A_ROUND = 9;
  private static final int REQUESTS_OF_A_WRITE = 4;

  private final Path folder;
  private final String name;
  private final Random random;
  private final StoreCollection points;
  private final StoreLocks locks;
  private int counts;
  private boolean holding;

  private LockClient(Path folder, String name, Random random, Store store) {
    this.folder = folder;
    this.name = name;
    this.random = random;
    points = await(store.open(COLLECTION, Layout.point(), Claim.ACTIVE));
    locks = store.locks(COLLECTION);
  }

  public static void main(String[] args) throws IOException {
    Settings settings = Settings.of(ConnectionString.parse(args[0]));
    OptionsMap options = Sessions.options(settings);
    options.put(TypedDriverOption.REQUEST_THROTTLER_CLASS, GatedThrottler.class.getName());
    try (Store store =
        ScyllaStore.open(settings, VersionClock.ofProcess(), KvObserver.NONE, options)) {
      LockClient client =
          new LockClient(Path.of(args[1]), args[2], new Random(Long.parseLong(args[3])), store);
      System.out.println("ready");
      client.run();
    }
  }

  private void run() throws IOException {
    while (!Files.exists(folder.resolve("stop"))) {
      arm(REQUESTS_OF_A_ROUND);
      long started = System.nanoTime();
      Set<Bytes> wanted = new HashSet<>();
      wanted.add(key(random.nextInt(KEYS)).main());
      wanted.add(key(random.nextInt(KEYS)).main());
      try {
        LockResult batch = await(locks.tryLockAll(wanted, LEASE, call()));
        for (Lock lock : batch.acquired()) {
          note("lock", lock.key().toUtf8(), lock.token(), started, System.nanoTime());
          round(lock);
        }
        if (batch.acquired().isEmpty()) {
          LockSupport.parkNanos(POLL.toNanos());
        }
      } catch (KvException e) {
        note("trouble", e.getClass().getSimpleName());
      }
    }
  }

  private void round(Lock lock) throws IOException {
    StoreKey key = StoreKey.of(lock.key(), Bytes.empty());
    Lock held = lock;
    for (int i = random.nextInt(3); i >= 0; i--) {
      if (!count(key, held)) {
        return;
      }
      if (random.nextInt(4) == 0) {
        held = await(locks.renew(held, LEASE, call()));
      }
    }
    if (random.nextInt(8) > 0) {
      await(locks.release(held, call()));
    }
  }

  private boolean count(StoreKey key, Lock lock) throws IOException {
    Row row = await(points.get(key, call()));
    Bytes value = row == null ? null : row.value();
    String[] before = value == null ? new String[] {"0", "none"} : value.toUtf8().split(" ", -1);
    long number = Long.parseLong(before[0]) + 1;
    String count = name + "." + ++counts;
    note("count", key.main().toUtf8(), count, before[1], number, lock.token());
    Mutation next = Mutation.put(Bytes.utf8(number + " " + count)).withLock(lock);
    arm(REQUESTS_OF_A_WRITE);
    try {
      await(points.write(key, next, call()));
      note("acknowledged", count);
      return true;
    } catch (KvException.UnknownOutcome e) {
      note("unknown", count);
    } catch (KvException e) {
      note("refused", count);
    }
    return false;
  }

  /** Stops at every other chance, so that half of the stops are within a write. */
  private void arm(int requests) {
    if (!holding && random.nextBoolean() && Files.exists(folder.resolve("hold-" + name))) {
      holding = true;
      GatedThrottler.before(1 + random.nextInt(requests), this::hold);
    }
  }

  private void hold() {
    try {
      Files.createFile(folder.resolve("held-" + name));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
    while (Files.exists(folder.resolve("hold-" + name))) {
      LockSupport.parkNanos(POLL.toNanos());
    }
    holding = false;
  }

  private void note(Object... words) throws IOException {
    StringBuilder line = new StringBuilder();
    for (Object word : words) {
      line.append(word).append(' ');
    }
    Files.writeString(
        folder.resolve("history-" + name),
        line.append('\n'),
        StandardOpenOption.CREATE,
        StandardOpenOption.APPEND);
  }

  public static StoreKey key(int i) {
    return StoreKey.of(Bytes.utf8("counter" + i), Bytes.empty());
  }

  private static Call call() {
    return Call.within(TIMEOUT);
  }
}
