package dev.kvshift.legacy.server;

import static dev.kvshift.legacy.server.Stores.await;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.legacy.wire.Open;
import dev.kvshift.legacy.wire.Request;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.testkit.meter.Figures;
import io.grpc.ManagedChannel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code ./check hostile}: attacks on a server whose process has 512 MiB, while a well-behaved
 * client goes on. After each attack the server still serves, the process has kept within its
 * memory, and the median latency of the client was at most twice the quiet one. Not part of the
 * suite, since it judges time. {@code -Dkvshift.figures=FOLDER} keeps its figures.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HostileLoad {
  /** Only attacks whose name contains this are tried. */
  private static final String ONLY = System.getProperty("kvshift.hostile.only", "");

  private static final int WARM_UP = 20_000;
  private static final int OPERATIONS = 2_000;
  private static final Duration LONGEST = Duration.ofSeconds(60);
  private static final long PROCESS_KIBIBYTES = 512 << 10;
  private static final String TOKEN = "attackers-know-it";

  private final Map<String, Long> figures = new LinkedHashMap<>();
  private ServerProcess server;
  private Store store;
  private StoreCollection served;
  private AttackerProcess attacker;

  @BeforeAll
  void open(@TempDir Path directory) throws IOException {
    Path tokens = directory.resolve("tokens");
    Files.writeString(tokens, "administer " + TOKEN + "\n");
    server =
        ServerProcess.startWith(
            List.of("-Xmx208m", "-XX:MaxDirectMemorySize=96m"),
            directory.resolve("data"),
            "--token-file",
            tokens.toString());
    store =
        Stores.open(
            "legacy://" + server.address() + "?timeout=20s&client=well-behaved&token=" + TOKEN);
    served = await(store.open("served", Layout.range(ShardRule.none()), Claim.ACTIVE));
    StoreCollection attacked =
        await(store.open("attacked", Layout.range(ShardRule.none()), Claim.ACTIVE));
    for (int i = 0; i < 16; i++) {
      StoreKey key = StoreKey.of(Bytes.utf8("m"), Bytes.utf8("c" + i));
      await(attacked.write(key, Mutation.put(Bytes.of(new byte[512 << 10])), call()));
    }
    ManagedChannel channel = RawStream.channel(server.address(), TOKEN);
    RawStream raw = RawStream.greeted(channel, 1).taking();
    int collection =
        raw.send(Request.newBuilder().setOpen(Open.newBuilder().setName("attacked")))
            .join()
            .getCollection();
    raw.cancel();
    channel.shutdownNow();
    attacker = AttackerProcess.start(server.address(), TOKEN, collection);
    serve(WARM_UP, () -> false);
  }

  @AfterAll
  void close() throws IOException {
    attacker.close();
    store.close();
    figures.put("peak_rss_kib", server.peakKibibytes());
    server.close();
    System.out.println(Figures.keep("hostile", figures));
  }

  private static Call call() {
    return Call.within(Duration.ofSeconds(20));
  }

  /**
   * Writes and reads as a service does, at least so many times and while something goes on, and
   * returns the median time of an operation.
   */
  private long serve(int operations, BooleanSupplier on) {
    List<Long> nanos = new ArrayList<>();
    for (int i = 0; i < operations || on.getAsBoolean(); i++) {
      StoreKey key = StoreKey.of(Bytes.utf8("k" + i % 50), Bytes.empty());
      long begun = System.nanoTime();
      if (i % 2 == 0) {
        await(served.write(key, Mutation.put(Bytes.utf8("v" + i)), call()));
      } else {
        await(served.get(key, call()));
      }
      nanos.add(System.nanoTime() - begun);
    }
    Collections.sort(nanos);
    return nanos.get(nanos.size() / 2);
  }

  @TestFactory
  Stream<DynamicTest> attacks() {
    return Attacker.names().stream()
        .filter(name -> name.contains(ONLY))
        .map(name -> DynamicTest.dynamicTest(name, () -> attack(name)));
  }

  private void attack(String name) throws IOException {
    long quiet = serve(OPERATIONS, () -> false);
    attacker.begin(name);
    long longest = System.nanoTime() + LONGEST.toNanos();
    long median = serve(OPERATIONS, () -> !attacker.isOver() && System.nanoTime() - longest < 0);
    boolean isOver = attacker.isOver();
    String figure = name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "_");
    figures.put(figure + "_quiet_us", quiet / 1_000);
    figures.put(figure + "_attacked_us", median / 1_000);

    assertThat(isOver).isTrue();
    assertThat(server.peakKibibytes()).isLessThanOrEqualTo(PROCESS_KIBIBYTES);
    assertThat(median).isLessThanOrEqualTo(2 * quiet);
  }
}
