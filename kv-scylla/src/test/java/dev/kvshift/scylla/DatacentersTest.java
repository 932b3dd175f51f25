package dev.kvshift.scylla;

import static dev.kvshift.scylla.TestStores.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.datastax.oss.driver.api.core.CqlSession;
import dev.kvshift.KvStore;
import dev.kvshift.Locks;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Lock;
import dev.kvshift.api.LockResult;
import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.embedded.CassandraRing;
import dev.kvshift.scylla.internal.scan.PointSweep;
import dev.kvshift.scylla.internal.session.Sessions;
import dev.kvshift.scylla.internal.session.Settings;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import dev.kvshift.testkit.meter.Figures;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Two nodes and replicas in the east, one in the west, and a client in each. */
@Tag("own-server")
@Tag("ring")
final class DatacentersTest {
  private static final int ROUNDS = 30;
  private static final Duration LIMIT = Duration.ofSeconds(90);
  private static final Duration LEASE = Duration.ofMinutes(1);
  private static final Bytes ONE = Bytes.utf8("1");
  private static final int CHUNK_BYTES = 1 << 10;
  private static final Bytes LARGE = Bytes.of(new byte[5 * CHUNK_BYTES]);
  private static final String CHUNKED = "&maxCellBytes=" + CHUNK_BYTES;

  private final Map<String, Long> figures = new LinkedHashMap<>();
  private int locked;

  @Test
  void metadataLocksAndWrites_twoDatacenters_areWhatTheDocsPromise() {
    try (CassandraRing ring = CassandraRing.startIn("east", "east", "west")) {
      CassandraNode secondEast = ring.nodes().get(1);
      CassandraNode west = ring.nodes().get(2);
      for (int node = 0; node < ring.nodes().size(); node++) {
        int asked = node;
        awaitTrue(
            "each node, and so the one that makes the keyspace, knows both datacenters",
            () -> String.valueOf(refusal(ring, asked).getMessage()).contains("has east, west:"));
      }
      try (Store inEast = open(ring, 0, "");
          Store inWest = open(ring, 2, "")) {
        StoreCollection easts = points(inEast);
        StoreCollection wests = points(inWest);
        assertThat(KvStore.over(inEast).locks("first").tryLockAll(Set.of(ONE), LEASE).acquired())
            .hasSize(1);
        metadata_bothAtOnce_oneWins(inEast, inWest);
        awaitTrue(
            "locks are taken",
            () -> succeeds(() -> locks_bothAtOnce_haveOneHolder(inEast, inWest)));
        assertThat(figures.get("lockRacesWithoutHolder")).isLessThan(figures.get("lockRaces"));

        writeLargeWhoseRowMissesTheWest(ring, west);
        count("kills", 2);
        write(easts, "while-west-is-down");
        assertThat(await(inEast.metadata().compareAndSet("west/down", null, ONE))).isTrue();
        assertThat(KvStore.over(inEast).locks("down").tryLockAll(Set.of(ONE), LEASE).acquired())
            .hasSize(1);
        west.restart();
        awaitTrue("the west answers", () -> answers(wests));
        awaitTrue(
            "the west knows the east again",
            () -> succeeds(() -> await(inWest.metadata().get("west/down"))));
        assertThat(await(inWest.metadata().get("west/down"))).isEqualTo(ONE);
        assertThat(read(wests, "while-west-is-down")).isNull();
        try (Store atQuorum = open(ring, 2, "&consistency=QUORUM")) {
          assertThat(read(points(atQuorum), "while-west-is-down")).isNotNull();
        }

        assertThat(PointSweep.run(string(ring, 2, "west", CHUNKED), Duration.ZERO)).isZero();
        assertThat(read(easts, "large").value()).isEqualTo(LARGE);

        secondEast.kill();
        List<KvException> failures = new ArrayList<>();
        awaitTrue("the east has no local quorum", () -> isRefused(easts, failures));
        write(wests, "while-half-the-east-is-down");
        awaitTrue(
            "serial statements continue",
            () -> succeeds(() -> locks_bothAtOnce_haveOneHolder(inEast, inWest)));
        awaitTrue(
            "the west's locks continue", () -> succeeds(() -> locks_oneByOne_areTaken(inWest)));
        awaitTrue(
            "the east takes no locks, as half of its nodes do not return their time",
            () ->
                String.valueOf(catchThrowable(() -> locks_oneByOne_areTaken(inEast)))
                    .contains("only 1 of the store's 2 servers have returned their time"));
        secondEast.restart();
        awaitTrue("the east answers", () -> answers(easts));
        awaitTrue(
            "the east takes locks again", () -> succeeds(() -> locks_oneByOne_areTaken(inEast)));
        assertThat(failures)
            .allMatch(
                error ->
                    error instanceof KvException.Transient
                        || error instanceof KvException.UnknownOutcome);
        count("restarts", 2);
        count("failedWithoutLocalQuorum", failures.size());
        System.err.println("ring twoDatacenters: " + Figures.keep("twoDatacenters", figures));
      }
    }
  }

  /** The west has the chunks of the value and goes down before their row is sent. */
  private static void writeLargeWhoseRowMissesTheWest(CassandraRing ring, CassandraNode west) {
    InterceptedSession.Hook killBeforeTheRow =
        (statement, real) ->
            InterceptedSession.query(statement).startsWith("UPDATE \"ring\".points_i1 ")
                ? CompletableFuture.runAsync(
                        () -> {
                          awaitChunks(ring);
                          west.kill();
                        })
                    .thenCompose(killed -> real.apply(statement))
                : real.apply(statement);
    try (Store store = TestStores.open(string(ring, 0, "east", CHUNKED), killBeforeTheRow)) {
      await(points(store).write(key("large"), Mutation.put(LARGE), Call.within(LIMIT)));
    }
  }

  private static void awaitChunks(CassandraRing ring) {
    Settings settings = Settings.of(string(ring, 2, "west", "&consistency=LOCAL_ONE"));
    try (CqlSession session = Sessions.open(settings)) {
      awaitTrue(
          "the west has all chunks and their owner",
          () ->
              session.execute("SELECT n FROM ring.points_i1_chunks").all().size()
                  == 1 + LARGE.size() / CHUNK_BYTES);
    }
  }

  /** An outcome can stay unknown here. The record shows whose claim won. */
  private void metadata_bothAtOnce_oneWins(Store east, Store west) {
    Bytes last = null;
    for (int round = 0; round < ROUNDS; round++) {
      Bytes easts = Bytes.utf8("east " + round);
      Bytes wests = Bytes.utf8("west " + round);
      CompletionStage<Boolean> first = east.metadata().compareAndSet("race/a", last, easts);
      CompletionStage<Boolean> second = west.metadata().compareAndSet("race/a", last, wests);
      Boolean eastWon = outcome(first);
      Boolean westWon = outcome(second);
      Bytes held = heldBy(east);
      assertThat(heldBy(west)).isEqualTo(held);
      String what = "round " + round + ": " + eastWon + ", " + westWon + ", held " + held;
      if (eastWon != null) {
        assertThat(easts.equals(held)).as(what).isEqualTo(eastWon);
      }
      if (westWon != null) {
        assertThat(wests.equals(held)).as(what).isEqualTo(westWon);
      }
      if (!easts.equals(held)) {
        assertThat(held).as(what).isIn(last, wests);
      }
      last = held;
      count("metadataRaces", 1);
    }
  }

  /** A serial read that meets the end of a race can fail, too. */
  private static Bytes heldBy(Store store) {
    Bytes[] held = new Bytes[1];
    awaitTrue(
        "the record is read",
        () -> succeeds(() -> held[0] = await(store.metadata().get("race/a"))));
    return held[0];
  }

  private Boolean outcome(CompletionStage<Boolean> change) {
    try {
      return await(change);
    } catch (KvException.UnknownOutcome e) {
      count("metadataUnknown", 1);
      return null;
    } catch (KvException.Transient e) { // the read before the change has met the other one
      count("metadataRefused", 1);
      return false;
    }
  }

  private void locks_bothAtOnce_haveOneHolder(Store east, Store west) {
    Locks easts = KvStore.over(east).locks("space");
    Locks wests = KvStore.over(west).locks("space");
    for (int round = 0; round < ROUNDS; round++) {
      Set<Bytes> key = Set.of(Bytes.utf8("lock " + locked++));
      CompletableFuture<Set<Lock>> first =
          CompletableFuture.supplyAsync(() -> acquired(easts, key));
      Set<Lock> second = acquired(wests, key);
      List<Lock> holders = new ArrayList<>(await(first));
      boolean eastHolds = !holders.isEmpty();
      holders.addAll(second);
      assertThat(holders).as("%s: %s, %s", key, first.join(), second).hasSizeLessThan(2);
      count("lockRaces", 1);
      count("lockRacesWithoutHolder", 1 - holders.size());
      for (Lock held : holders) {
        (eastHolds ? easts : wests).release(held);
        assertThat(acquired(eastHolds ? wests : easts, key))
            .as("%s after %s", key, held)
            .allMatch(next -> next.token() > held.token());
      }
    }
  }

  private static Set<Lock> acquired(Locks locks, Set<Bytes> key) {
    try {
      return locks.tryLockAll(key, LEASE).acquired();
    } catch (KvException.Transient e) { // certainly not acquired
      return Set.of();
    }
  }

  private void locks_oneByOne_areTaken(Store store) {
    Locks locks = KvStore.over(store).locks("space");
    for (int round = 0; round < ROUNDS; round++) {
      LockResult taken = locks.tryLockAll(Set.of(Bytes.utf8("lock " + locked++)), LEASE);
      if (!taken.unknown().isEmpty()) {
        throw new KvException.UnknownOutcome("not certainly taken: " + taken);
      }
      locks.release(taken.acquired().iterator().next());
    }
  }

  private void count(String what, long more) {
    figures.merge(what, more, Long::sum);
  }

  private static boolean isRefused(StoreCollection points, List<KvException> failures) {
    try {
      write(points, "without-quorum");
      return false;
    } catch (KvException e) {
      failures.add(e);
      return e instanceof KvException.Transient;
    }
  }

  private static boolean answers(StoreCollection points) {
    return succeeds(() -> write(points, "sign-of-life"));
  }

  private static boolean succeeds(Runnable work) {
    try {
      work.run();
      return true;
    } catch (KvException e) {
      return false;
    }
  }

  private static void write(StoreCollection points, String key) {
    await(points.write(key(key), Mutation.put(ONE), Call.within(Duration.ofSeconds(10))));
  }

  private static Row read(StoreCollection points, String key) {
    return await(points.get(key(key), Call.within(Duration.ofSeconds(10))));
  }

  private static StoreKey key(String key) {
    return StoreKey.of(Bytes.utf8(key), Bytes.empty());
  }

  private static StoreCollection points(Store store) {
    return await(store.open("points", Layout.point(), Claim.ACTIVE));
  }

  private static Throwable refusal(CassandraRing ring, int node) {
    return catchThrowable(() -> open(ring, node, "north", "").close());
  }

  private static Store open(CassandraRing ring, int node, String more) {
    return open(ring, node, ring.nodes().get(node).datacenter(), more);
  }

  private static Store open(CassandraRing ring, int node, String datacenter, String more) {
    return TestStores.open(string(ring, node, datacenter, more), VersionClock.ofProcess());
  }

  private static ConnectionString string(
      CassandraRing ring, int node, String datacenter, String more) {
    return ConnectionString.parse(
        "scylla://"
            + ring.nodes().get(node).address()
            + "/ring?localDatacenter="
            + datacenter
            + "&create=if-missing&replication=east:2,west:1"
            + more);
  }

  private static void awaitTrue(String what, BooleanSupplier condition) {
    long end = System.nanoTime() + LIMIT.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > end) {
        throw new AssertionError("in vain awaited: " + what);
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
    }
  }
}
