package dev.kvshift.legacy.server;

import static dev.kvshift.legacy.server.Stores.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.legacy.server.internal.storage.EngineOptions;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.testkit.concurrent.Await;
import dev.kvshift.testkit.fault.TcpProxy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests of broken connections: repeated mutations are applied once, no certain outcome is lost. */
class ReconnectTest {
  @TempDir Path directory;
  private RunningServer server;
  private TcpProxy proxy;
  private Store store;
  private StoreCollection collection;

  @BeforeEach
  void open() throws IOException {
    server = RunningServer.start(EngineOptions.of(directory, 4), ServerOptions.loopback(0));
    proxy = new TcpProxy(new InetSocketAddress(InetAddress.getLoopbackAddress(), server.port()));
    store = Stores.open("legacy://" + proxy.address() + "?timeout=30s");
    collection = await(store.open("files", Layout.point(), Claim.ACTIVE));
  }

  @AfterEach
  void close() throws IOException {
    store.close();
    proxy.close();
    server.close();
  }

  private static Call call() {
    return Call.within(Duration.ofSeconds(30));
  }

  private CompletionStage<Long> put(String key, String value) {
    return collection.write(
        StoreKey.of(Bytes.utf8(key), Bytes.empty()), Mutation.put(Bytes.utf8(value)), call());
  }

  private List<ChangeSource.Change> changes() {
    List<ChangeSource.Change> changes = new ArrayList<>();
    long newest = await(collection.changes().window()).newest();
    long position = 0;
    while (position < newest) {
      ChangeSource.Batch batch =
          await(collection.changes().read(position, 1 << 20, Duration.ofSeconds(1)));
      if (batch instanceof ChangeSource.Data data) {
        changes.addAll(data.changes());
      }
      position = batch.position();
    }
    return changes;
  }

  @Test
  void write_connectionCutAgainAndAgain_isAppliedExactlyOnce() throws Exception {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    AtomicInteger answered = new AtomicInteger();
    List<CompletionStage<Long>> writes = new ArrayList<>();
    for (int round = 0; round < 20; round++) {
      for (int i = 0; i < 200; i++) {
        CompletionStage<Long> write = put("key" + random.nextInt(50), "value" + writes.size());
        write.whenComplete((version, error) -> answered.incrementAndGet());
        writes.add(write);
      }
      int until = random.nextInt(writes.size());
      Await.until("some writes are answered", () -> answered.get() >= until);
      proxy.cut();
    }
    List<Long> versions = new ArrayList<>();
    for (CompletionStage<Long> write : writes) {
      versions.add(await(write));
    }

    List<ChangeSource.Change> changes = changes();
    assertThat(changes).as("seed %s", seed).hasSize(writes.size());
    for (ChangeSource.Change change : changes) {
      Row row = change.row();
      int number = Integer.parseInt(row.value().toUtf8().substring("value".length()));
      assertThat(row.version()).isEqualTo(versions.get(number));
    }
  }

  @Test
  void write_cutWhileItWaitsAtTheFence_isAppliedOnceAfterTheLift() throws Exception {
    Gate gate = collection.gate();
    await(gate.fence("try-1", Duration.ofSeconds(30)));
    CompletionStage<Long> waiting = put("key", "value");
    assertThat(await(gate.state()).fence()).isNotNull();
    proxy.cut();
    assertThat(await(gate.state()).fence()).isNotNull();
    await(gate.lift("try-1"));

    long version = await(waiting);

    assertThat(changes()).singleElement().extracting(c -> c.row().version()).isEqualTo(version);
  }

  @Test
  void write_neverSentUntilItsDeadline_isTransient() throws Exception {
    proxy.refuse();
    assertThatThrownBy(
            () ->
                await(
                    collection.get(
                        StoreKey.of(Bytes.utf8("key"), Bytes.empty()),
                        Call.within(Duration.ofSeconds(1)))))
        .isInstanceOf(KvException.Transient.class);
    CompletionStage<Long> write =
        collection.write(
            StoreKey.of(Bytes.utf8("key"), Bytes.empty()),
            Mutation.put(Bytes.utf8("value")),
            Call.within(Duration.ofMillis(200)));

    assertThatThrownBy(() -> await(write)).isInstanceOf(KvException.Transient.class);
    proxy.pass();
    assertThat(await(collection.get(StoreKey.of(Bytes.utf8("key"), Bytes.empty()), call())))
        .isNull();
  }

  @Test
  void open_nobodyThere_isTransientAndNamesTheServer() throws Exception {
    proxy.refuse();
    String address = proxy.address();

    assertThatThrownBy(() -> Stores.open("legacy://" + address + "?timeout=300ms").close())
        .isInstanceOf(KvException.Transient.class)
        .hasMessageContaining(address);
  }
}
