package dev.kvshift.legacy.server.internal.retention;

import static dev.kvshift.legacy.server.Stores.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.groups.Tuple.tuple;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Lock;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.ShardRule;
import dev.kvshift.legacy.server.ManualClock;
import dev.kvshift.legacy.server.RunningServer;
import dev.kvshift.legacy.server.ServerOptions;
import dev.kvshift.legacy.server.ServerProcess;
import dev.kvshift.legacy.server.Stores;
import dev.kvshift.legacy.server.internal.commit.Table;
import dev.kvshift.legacy.server.internal.engine.Engine;
import dev.kvshift.legacy.server.internal.storage.EngineOptions;
import dev.kvshift.legacy.wire.ClientUse;
import dev.kvshift.legacy.wire.KeyOf;
import dev.kvshift.legacy.wire.Request;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.StalePhase;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.StoreLocks;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests of the usage statistics, the evidence that the old store is no longer used. */
class UsageTest {
  private static final StoreKey KEY = StoreKey.of(Bytes.utf8("m"), Bytes.utf8("c"));

  @TempDir Path directory;
  private final ManualClock clock = new ManualClock();

  private EngineOptions options() {
    return EngineOptions.of(directory, 4).with(clock);
  }

  private static Call call() {
    return Call.within(Duration.ofSeconds(10));
  }

  private static StoreCollection files(Store store) {
    return await(store.open("files", Layout.range(ShardRule.none()), Claim.ACTIVE));
  }

  /** Does what each service does: {@code reads} gets and a page, {@code writes} puts. */
  private static void use(RunningServer server, String client, int reads, int writes) {
    try (Store store = Stores.open("legacy://" + server.address() + "?client=" + client)) {
      StoreCollection collection = files(store);
      for (int i = 0; i < reads; i++) {
        await(collection.get(KEY, call()));
      }
      if (reads > 0) {
        await(
            collection.range(KEY.main(), Bytes.empty(), Range.all(), PageLimit.entries(1), call()));
      }
      for (int i = 0; i < writes; i++) {
        await(collection.write(KEY, Mutation.put(Bytes.utf8("v")), call()));
      }
    }
  }

  private List<ClientUse> usesAfterRestart(String collection) {
    try (Engine engine = Engine.open(options())) {
      return engine.usage().of(engine.knownCollection(collection).id());
    }
  }

  @Test
  void uses_overRestarts_areCountedOnFromTheFirst() {
    long since;
    try (RunningServer server = RunningServer.start(options(), ServerOptions.loopback(0))) {
      use(server, "orders", 3, 2);
      use(server, "reports", 1, 0);
    }
    try (Engine engine = Engine.open(options())) {
      since = engine.usage().sinceMillis();
    }
    clock.advance(Duration.ofDays(3));
    long later = clock.millis();
    try (RunningServer server = RunningServer.start(options(), ServerOptions.loopback(0))) {
      use(server, "orders", 0, 5);
    }

    List<ClientUse> uses = usesAfterRestart("files");

    assertThat(uses)
        .extracting(ClientUse::getClient, ClientUse::getReads, ClientUse::getWrites)
        .containsExactly(tuple("orders", 4L, 7L), tuple("reports", 2L, 0L));
    assertThat(uses.get(0).getLastSeenMillis()).isGreaterThanOrEqualTo(later);
    assertThat(uses.get(1).getLastSeenMillis()).isLessThan(later);
    assertThat(uses.get(0).getLibrary()).isEqualTo("unreleased");
    try (Engine engine = Engine.open(options())) {
      assertThat(engine.usage().sinceMillis()).isEqualTo(since);
    }
  }

  @Test
  void uses_serverKilled_stillKnowWhoHasWritten() throws Exception {
    try (ServerProcess server = ServerProcess.start(directory, 4, 0);
        Store store = Stores.open("legacy://" + server.address() + "?client=once-a-year")) {
      await(files(store).write(KEY, Mutation.put(Bytes.utf8("v")), call()));
      server.kill();
    }

    assertThat(usesAfterRestart("files"))
        .extracting(ClientUse::getClient, ClientUse::getWrites)
        .containsExactly(tuple("once-a-year", 1L));
  }

  @Test
  void uses_underEpochsAndRefused_areCountedForEach() {
    try (RunningServer server = RunningServer.start(options(), ServerOptions.loopback(0));
        Store store = Stores.open("legacy://" + server.address() + "?client=orders")) {
      StoreCollection collection = files(store);
      Gate.State first = await(collection.gate().state());
      await(
          collection
              .gate()
              .compareAndSet(
                  first,
                  Gate.State.first()
                      .withEpoch(2)
                      .withPhase(Phase.SHADOW_WRITE)
                      .withAcceptMin(1)
                      .withIncarnation(first.incarnation())));
      await(collection.get(KEY, call().withEpoch(1)));
      await(collection.write(KEY, Mutation.delete(), call().withEpoch(2)));
      assertThatThrownBy(() -> await(collection.get(KEY, call()))).isInstanceOf(StalePhase.class);
    }

    assertThat(usesAfterRestart("files"))
        .extracting(ClientUse::getEpoch, ClientUse::getReads, ClientUse::getWrites)
        .containsExactlyInAnyOrder(tuple(0L, 1L, 0L), tuple(1L, 1L, 0L), tuple(2L, 0L, 1L));
  }

  @Test
  void uses_locks_areCountedByTheirSpace() {
    try (RunningServer server = RunningServer.start(options(), ServerOptions.loopback(0));
        Store store = Stores.open("legacy://" + server.address() + "?client=orders")) {
      StoreLocks locks = store.locks("stock");
      Lock lock =
          await(locks.tryLockAll(Set.of(Bytes.utf8("k")), Duration.ofSeconds(60), call()))
              .acquired()
              .iterator()
              .next();
      Lock renewed = await(locks.renew(lock, Duration.ofSeconds(60), call()));
      await(locks.release(renewed, call()));
    }

    assertThat(usesAfterRestart("locks:stock"))
        .extracting(ClientUse::getClient, ClientUse::getLocks, ClientUse::getReads)
        .containsExactly(tuple("orders", 3L, 0L));
  }

  @Test
  void tryLockAll_withoutAReport_isListedWithTheSpace() {
    try (RunningServer server = RunningServer.start(options(), ServerOptions.loopback(0));
        Store store = Stores.open("legacy://" + server.address() + "?client=orders")) {
      StoreLocks locks = store.locks("stock");
      await(locks.gate());
      await(locks.tryLockAll(Set.of(Bytes.utf8("k")), Duration.ofSeconds(60), call()));
      assertThat(await(await(locks.gate()).instances()))
          .extracting(Gate.Instance::name)
          .containsExactly("client orders");
    }
  }

  @Test
  void count_tooManyClients_areCountedTogetherAndUnknownCollectionsNot() {
    try (Engine engine = Engine.open(options())) {
      Table table = await(engine.collection("files"));
      Request request =
          Request.newBuilder().setCollection(table.id()).setGet(KeyOf.getDefaultInstance()).build();
      int most = engine.usage().maxEntries();
      assertThat(most).isEqualTo(Usage.MAX_ENTRIES);
      for (int i = 0; i < most + 50; i++) {
        engine.usage().count("client" + i, "1.0", request.toBuilder().setEpoch(i).build());
      }
      engine.usage().count("client", "1.0", request.toBuilder().setCollection(999).build());

      List<ClientUse> uses = engine.usage().of(table.id());

      assertThat(uses).hasSize(Usage.MAX_ENTRIES + 1);
      assertThat(uses)
          .filteredOn(use -> use.getClient().equals(Usage.OTHERS))
          .extracting(ClientUse::getReads)
          .containsExactly(50L);
      assertThat(engine.usage().of(999)).isEmpty();
    }
  }

  @Test
  void count_epochThatWasNotIssued_isCountedUnderTheNewest() {
    try (Engine engine = Engine.open(options())) {
      Table table = await(engine.collection("files"));
      long newest = engine.gates().state(table).epoch();
      Request.Builder request =
          Request.newBuilder().setCollection(table.id()).setGet(KeyOf.getDefaultInstance());
      for (long epoch : new long[] {newest, newest + 1, 4_711, Long.MAX_VALUE - 1}) {
        engine.usage().count("orders", "1.0", request.setEpoch(epoch).build());
      }

      assertThat(engine.usage().of(table.id()))
          .extracting(ClientUse::getEpoch, ClientUse::getReads)
          .containsExactly(tuple(newest, 4L));
    }
  }

  @Test
  void count_ungatedRequest_isTheRunnersAndDoesNotCount() {
    try (RunningServer server = RunningServer.start(options(), ServerOptions.loopback(0));
        Store store = Stores.open("legacy://" + server.address() + "?client=runner")) {
      await(files(store).get(KEY, call().ungated()));
    }

    assertThat(usesAfterRestart("files")).isEmpty();
  }

  @Test
  void save_clientNotSeenForItsMemory_leavesTheTableAndTheFiles() {
    try (Engine engine = Engine.open(options())) {
      Table table = await(engine.collection("files"));
      Request request =
          Request.newBuilder().setCollection(table.id()).setGet(KeyOf.getDefaultInstance()).build();
      engine.usage().count("retired", "1.0", request);
      clock.advance(Duration.ofDays(1));
      engine.usage().count("running", "1.0", request);

      clock.advance(Usage.MEMORY.minus(Duration.ofDays(1)).minusMinutes(1));
      engine.usage().save();
      assertThat(engine.usage().of(table.id())).hasSize(2);
      clock.advance(Duration.ofMinutes(2));
      engine.usage().save();

      assertThat(engine.usage().of(table.id()))
          .extracting(ClientUse::getClient)
          .containsExactly("running");
    }
    assertThat(usesAfterRestart("files"))
        .extracting(ClientUse::getClient)
        .containsExactly("running");
  }

  @Test
  void count_fortyThousandUsers_isKeptForEach() {
    int collections = 100;
    int services = 400;
    try (Engine engine = Engine.open(options().withSync(false))) {
      for (int i = 0; i < collections; i++) {
        int id = await(engine.collection("c" + i)).id();
        Request request =
            Request.newBuilder().setCollection(id).setGet(KeyOf.getDefaultInstance()).build();
        for (int j = 0; j < services; j++) {
          engine.usage().count("service" + j, "1.0", request);
          engine.usage().count("service" + j, "1.1", request);
        }
      }
      engine.usage().save();
    }
    try (Engine engine = Engine.open(options().withSync(false))) {
      for (int i = 0; i < collections; i++) {
        assertThat(engine.usage().of(engine.knownCollection("c" + i).id())).hasSize(2 * services);
      }
    }
  }

  @Test
  void drop_usedCollection_startsAnewWithNobody() {
    try (RunningServer server = RunningServer.start(options(), ServerOptions.loopback(0));
        Store store = Stores.open("legacy://" + server.address())) {
      await(files(store).write(KEY, Mutation.delete(), call()));
      await(store.drop("files", Engine.INCARNATION));
      files(store);
    }

    assertThat(usesAfterRestart("files")).isEmpty();
  }
}
