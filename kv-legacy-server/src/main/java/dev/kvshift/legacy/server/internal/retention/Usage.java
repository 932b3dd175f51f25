package dev.kvshift.legacy.server.internal.retention;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.kvshift.api.KvException;
import dev.kvshift.legacy.server.internal.commit.Catalog;
import dev.kvshift.legacy.server.internal.commit.CatalogOperations;
import dev.kvshift.legacy.server.internal.commit.CommitPipeline;
import dev.kvshift.legacy.server.internal.commit.LockOperations;
import dev.kvshift.legacy.server.internal.commit.Operation;
import dev.kvshift.legacy.server.internal.commit.Table;
import dev.kvshift.legacy.server.internal.storage.Database;
import dev.kvshift.legacy.server.internal.storage.Keys;
import dev.kvshift.legacy.server.internal.storage.LeaderClock;
import dev.kvshift.legacy.server.internal.storage.MetaKeys;
import dev.kvshift.legacy.server.internal.storage.OpenFiles;
import dev.kvshift.legacy.wire.ClientUse;
import dev.kvshift.legacy.wire.Request;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Gate;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;

/**
 * Usage statistics that survive restarts: which client has read, written and locked what. They are
 * the evidence that a collection is no longer used. Requests are counted as they arrive, refused
 * ones too. Safe for use by many threads.
 *
 * <p>A client's first request, and its first after {@link #STORE_INTERVAL}, submits its figures to
 * the commit pipeline before the request itself. The rest is stored within that time, and when the
 * store is closed. So a kill loses the figures of the last minute, but never hides that a client
 * came back after a longer time.
 */
public final class Usage {
  /**
   * Maximum number of clients to count separately: a hundred collections, four hundred services
   * each, in a few versions. Others are counted together, under {@link #OTHERS}.
   */
  static final int MAX_ENTRIES = 200_000;

  /** The bytes of heap for each entry: in a smaller heap, fewer are counted separately. */
  private static final long HEAP_PER_ENTRY = 4 << 10;

  /** The time for which a client is remembered after its last request. */
  static final Duration MEMORY = Duration.ofDays(90);

  static final int MAX_NAME_LENGTH = 128;
  static final String OTHERS = "(others)";
  static final Duration STORE_INTERVAL = Duration.ofMinutes(1);

  /**
   * Maximum number of figures that are stored at once, which leaves room for writes of services.
   */
  private static final int SAVED_AT_ONCE = 1_000;

  private static final long UNGATED = Call.within(Duration.ZERO).ungated().epoch();
  private static final byte[] SINCE_KEY = Database.utf8("usagesince");

  private final int maxEntries;
  private final Map<User, Count> counts = new ConcurrentHashMap<>();
  private final Catalog catalog;
  private final CatalogOperations spaces;
  private final CommitPipeline pipeline;
  private final LeaderClock clock;
  private final long sinceMillis;

  public Usage(Database database, Catalog catalog, CommitPipeline pipeline, LeaderClock clock) {
    this.maxEntries =
        (int) Math.min(MAX_ENTRIES, Runtime.getRuntime().maxMemory() / HEAP_PER_ENTRY);
    this.catalog = catalog;
    this.spaces = new CatalogOperations(catalog, pipeline);
    this.pipeline = pipeline;
    this.clock = clock;
    this.sinceMillis = database.access(this::load);
  }

  /** A client of a collection. */
  private record User(int collection, String client, String library, long epoch) {}

  /** The figures of a client. */
  private static final class Count {
    final User user;
    final LongAdder reads = new LongAdder();
    final LongAdder writes = new LongAdder();
    final LongAdder locks = new LongAdder();
    volatile long lastSeenMillis;
    volatile long storedMillis;
    volatile boolean stored;

    Count(User user) {
      this.user = user;
    }

    ClientUse use() {
      return ClientUse.newBuilder()
          .setClient(user.client)
          .setLibrary(user.library)
          .setEpoch(user.epoch)
          .setReads(reads.sum())
          .setWrites(writes.sum())
          .setLocks(locks.sum())
          .setLastSeenMillis(lastSeenMillis)
          .build();
    }
  }

  private long load(OpenFiles files) {
    byte[] prefix = Database.utf8(MetaKeys.USAGE);
    try (RocksIterator metas = files.metas()) {
      for (metas.seek(prefix);
          metas.isValid() && Keys.startsWith(metas.key(), prefix);
          metas.next()) {
        ClientUse use = ClientUse.parseFrom(metas.value());
        int collection = ByteBuffer.wrap(metas.key()).getInt(prefix.length);
        Count count =
            new Count(new User(collection, use.getClient(), use.getLibrary(), use.getEpoch()));
        count.reads.add(use.getReads());
        count.writes.add(use.getWrites());
        count.locks.add(use.getLocks());
        count.lastSeenMillis = use.getLastSeenMillis();
        count.storedMillis = use.getLastSeenMillis();
        count.stored = true;
        counts.put(count.user, count);
      }
      metas.status();
      byte[] since = files.meta(SINCE_KEY);
      return Database.number(since, clock.millis());
    } catch (InvalidProtocolBufferException | RocksDBException e) {
      throw new KvException.Permanent(
          "the usage statistics of the store cannot be read: restore its files from a copy", e);
    }
  }

  /** Stores the beginning of the statistics, unless it is stored already. */
  public void begin() {
    pipeline.change(
        commit -> {
          if (commit.meta(SINCE_KEY) == null) {
            commit.putMeta(SINCE_KEY, Database.number(sinceMillis));
          }
        });
  }

  public long sinceMillis() {
    return sinceMillis;
  }

  /** Returns the name or version of a client, cut to the length that is counted. */
  public static String bounded(String name) {
    return name.length() <= MAX_NAME_LENGTH ? name : name.substring(0, MAX_NAME_LENGTH);
  }

  /**
   * Counts a request of a service, under its epoch. An epoch that the leader has not issued yet
   * counts as the newest one, so that a client cannot fill the statistics by making up epochs.
   * Requests of the runner, which come with no epoch, do not count.
   */
  public void count(String client, String library, Request request) {
    switch (request.getBodyCase()) {
      case GET, RANGE, WRITE -> count(request.getCollection(), client, library, request);
      case LOCK_ALL -> countLock(request.getLockAll().getSpace(), client, library, request);
      case RENEW -> countLock(request.getRenew().getLock().getSpace(), client, library, request);
      case RELEASE -> countLock(request.getRelease().getSpace(), client, library, request);
      default -> {}
    }
  }

  private void countLock(String space, String client, String library, Request request) {
    if (LockOperations.isSpace(space)) {
      spaces.lockSpace(space).thenAccept(table -> count(table.id(), client, library, request));
    }
  }

  private void count(int collection, String client, String library, Request request) {
    Table table = catalog.byId(collection);
    if (table == null || request.getEpoch() == UNGATED) {
      return;
    }
    long newest = table.publishedGate().state().epoch();
    long epoch = Math.max(0, Math.min(request.getEpoch(), newest));
    User user = new User(collection, client, library, epoch);
    Count known = counts.get(user);
    Count count = known == null ? added(user) : known;
    switch (request.getBodyCase()) {
      case WRITE -> count.writes.increment();
      case GET, RANGE -> count.reads.increment();
      default -> count.locks.increment();
    }
    long now = clock.millis();
    count.lastSeenMillis = now;
    count.stored = false;
    if (now - count.storedMillis >= STORE_INTERVAL.toMillis() || count.storedMillis > now) {
      count.storedMillis = now;
      store(count);
    }
  }

  private Count added(User user) {
    User counted = counts.size() < maxEntries ? user : new User(user.collection, OTHERS, "", 0);
    return counts.computeIfAbsent(counted, Count::new);
  }

  private CompletableFuture<@Nullable Void> store(Count count) {
    return pipeline.submit(
        Operation.<@Nullable Void>of(
            commit -> {
              if (catalog.byId(count.user.collection) != null) {
                count.stored = true;
                commit.putMeta(key(count.user), count.use().toByteArray());
              }
              return null;
            }));
  }

  int maxEntries() {
    return maxEntries;
  }

  /**
   * Stores the figures that have changed since they were last stored, and forgets the clients that
   * have not been seen for {@link #MEMORY}.
   */
  public void save() {
    counts.keySet().removeIf(user -> catalog.byId(user.collection) == null);
    long oldest = clock.millis() - MEMORY.toMillis();
    List<CompletableFuture<?>> changes = new ArrayList<>();
    for (Count count : List.copyOf(counts.values())) {
      if (count.lastSeenMillis < oldest && counts.remove(count.user, count)) {
        changes.add(forget(count));
      } else if (!count.stored) {
        changes.add(store(count));
      }
      if (changes.size() == SAVED_AT_ONCE) {
        changes.forEach(CommitPipeline::await);
        changes.clear();
      }
    }
    changes.forEach(CommitPipeline::await);
  }

  private CompletableFuture<@Nullable Void> forget(Count count) {
    return pipeline.submit(
        Operation.<@Nullable Void>of(
            commit -> {
              if (!counts.containsKey(count.user)) {
                commit.deleteMeta(key(count.user));
              }
              return null;
            }));
  }

  private static byte[] key(User user) {
    byte[] name =
        ClientUse.newBuilder()
            .setClient(user.client)
            .setLibrary(user.library)
            .setEpoch(user.epoch)
            .build()
            .toByteArray();
    return MetaKeys.of(MetaKeys.USAGE, user.collection, name);
  }

  /**
   * Returns the clients of a collection that were seen at an instant or later, the last seen first,
   * at most {@link Gate#MAX_USERS}.
   */
  public List<ClientUse> since(int collection, long millis) {
    return of(collection).stream()
        .filter(use -> use.getLastSeenMillis() >= millis)
        .limit(Gate.MAX_USERS)
        .toList();
  }

  public List<ClientUse> of(int collection) {
    List<ClientUse> uses = new ArrayList<>();
    for (Count count : counts.values()) {
      if (count.user.collection == collection) {
        uses.add(count.use());
      }
    }
    uses.sort(Comparator.comparingLong(ClientUse::getLastSeenMillis).reversed());
    return uses;
  }
}
