package dev.kvshift.legacy.server;

import static dev.kvshift.legacy.server.Stores.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.legacy.wire.Attempt;
import dev.kvshift.legacy.wire.Consumed;
import dev.kvshift.legacy.wire.Hello;
import dev.kvshift.legacy.wire.KeyOf;
import dev.kvshift.legacy.wire.LegacyGrpc;
import dev.kvshift.legacy.wire.LockAll;
import dev.kvshift.legacy.wire.Open;
import dev.kvshift.legacy.wire.ReadChanges;
import dev.kvshift.legacy.wire.ReadRange;
import dev.kvshift.legacy.wire.Reply;
import dev.kvshift.legacy.wire.ReplyFrame;
import dev.kvshift.legacy.wire.Request;
import dev.kvshift.legacy.wire.RequestFrame;
import dev.kvshift.legacy.wire.StatisticsOf;
import dev.kvshift.legacy.wire.Write;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.health.v1.HealthGrpc;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
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
  private static final String FIGURES = System.getProperty("kvshift.figures");
  private static final int WARM_UP = 20_000;
  private static final int OPERATIONS = 2_000;
  private static final Duration LONGEST = Duration.ofSeconds(60);
  private static final long PROCESS_KIBIBYTES = 512 << 10;
  private static final String TOKEN = "attackers-know-it";
  private static final ByteString MAIN = ByteString.copyFromUtf8("m");

  private final Map<String, String> figures = new LinkedHashMap<>();
  private final List<ManagedChannel> channels = new ArrayList<>();
  private final List<Socket> sockets = new ArrayList<>();
  private ServerProcess server;
  private Store store;
  private StoreCollection served;
  private int collection;

  /** What an attacker does; it may fail, and need not end what it has begun. */
  private interface Attack {
    void run() throws Exception;
  }

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
    RawStream raw = RawStream.greeted(channel(), 1).taking();
    collection =
        raw.send(Request.newBuilder().setOpen(Open.newBuilder().setName("attacked")))
            .join()
            .getCollection();
    raw.cancel();
    serve(WARM_UP, () -> false);
  }

  @AfterAll
  void close() throws IOException {
    store.close();
    figures.put("peak_rss_kib", "" + server.peakKibibytes());
    server.close();
    System.out.println(figures);
    if (FIGURES != null) {
      StringBuilder json = new StringBuilder("{");
      figures.forEach(
          (name, value) ->
              json.append(json.length() == 1 ? "" : ",")
                  .append('"')
                  .append(name)
                  .append("\":")
                  .append(value));
      Files.writeString(Path.of(FIGURES, "hostile.json"), json.append('}'));
    }
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

  /** Returns a channel of an attacker who knows a token. */
  private ManagedChannel channel() {
    ManagedChannel channel = RawStream.channel(server.address(), TOKEN);
    channels.add(channel);
    return channel;
  }

  private ManagedChannel channelWithoutToken() {
    ManagedChannel channel = RawStream.channel(server.address());
    channels.add(channel);
    return channel;
  }

  private Socket socket() throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
    sockets.add(socket);
    return socket;
  }

  @TestFactory
  Stream<DynamicTest> attacks() {
    Map<String, Attack> attacks = new LinkedHashMap<>();
    attacks.put("streams without a token", this::streamsWithoutToken);
    attacks.put("service names of 38 MiB for health", () -> health(new byte[38 << 20]));
    attacks.put("eight million empty requests in a frame", this::emptyRequests);
    attacks.put("readers that take no replies", this::unwillingReaders);
    attacks.put("frames of 16 MiB that never end", this::halfFrames);
    attacks.put("large writes from many", this::largeWrites);
    attacks.put("waiting reads", this::waitingReads);
    attacks.put("negative positions", this::negativePositions);
    attacks.put("ten thousand hellos", this::manyHellos);
    attacks.put("attempts of 70 kB", this::longAttempts);
    attacks.put("collection names of 1 MiB", this::longCollectionNames);
    attacks.put("giant lock batches", this::giantLockBatches);
    attacks.put("made-up collections of other numbers", this::unknownCollections);
    attacks.put("usage under made-up service names", this::madeUpServices);
    attacks.put("thousands of idle connections", this::idleConnections);
    attacks.put("half of a preface, slowly", this::slowPrefaces);
    attacks.put("random bytes", this::randomBytes);
    attacks.put("streams without hello", this::silentStreams);
    attacks.put("calls cancelled at once", this::cancelledCalls);
    attacks.put("huge metadata", this::hugeMetadata);
    attacks.put("watches of the health", this::watches);
    attacks.put("statistics of made-up collections", this::madeUpStatistics);
    attacks.put("made-up consumers", this::madeUpConsumers);
    attacks.put("reads with sequence numbers", this::numberedReads);
    attacks.put("made-up lock spaces", this::madeUpLockSpaces);
    return attacks.entrySet().stream()
        .map(
            each ->
                DynamicTest.dynamicTest(each.getKey(), () -> run(each.getKey(), each.getValue())));
  }

  private void run(String name, Attack attack) throws Exception {
    Thread attacker =
        new Thread(
            () -> {
              try {
                attack.run();
              } catch (Exception refused) {
                System.out.println(name + ": " + refused);
              }
            });
    long quiet = serve(OPERATIONS, () -> false);
    attacker.start();
    long longest = System.nanoTime() + LONGEST.toNanos();
    long median = serve(OPERATIONS, () -> attacker.isAlive() && System.nanoTime() - longest < 0);
    channels.forEach(ManagedChannel::shutdownNow);
    channels.clear();
    for (Socket socket : sockets) {
      socket.close();
    }
    sockets.clear();
    String figure = name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "_");
    figures.put(figure + "_quiet_us", "" + quiet / 1_000);
    figures.put(figure + "_attacked_us", "" + median / 1_000);

    assertThat(attacker.isAlive()).isFalse();
    assertThat(server.peakKibibytes()).isLessThanOrEqualTo(PROCESS_KIBIBYTES);
    assertThat(median).isLessThanOrEqualTo(2 * quiet);
  }

  private void health(byte[] message) {
    call(HealthGrpc.getCheckMethod(), message);
  }

  private <A> void call(MethodDescriptor<?, A> method, byte[] message) {
    for (int i = 0; i < 10; i++) {
      ClientCall<byte[], A> call = channel().newCall(RawStream.method(method), CallOptions.DEFAULT);
      call.start(new ClientCall.Listener<>() {}, new Metadata());
      call.request(1);
      call.sendMessage(message);
      call.halfClose();
    }
  }

  private void emptyRequests() {
    byte[] frame = new byte[16_000_000];
    for (int i = 0; i < frame.length; i += 2) {
      frame[i] = RequestFrame.REQUESTS_FIELD_NUMBER << 3 | 2;
    }
    for (int i = 0; i < 5; i++) {
      RawStream client = RawStream.greeted(channel(), 100 + i);
      client.send(frame);
      client.awaitEnd();
    }
  }

  private void unwillingReaders() {
    ReadRange all = ReadRange.newBuilder().setMain(MAIN).setEntries(100).setBytes(8 << 20).build();
    Request.Builder range = Request.newBuilder().setCollection(collection).setRange(all);
    for (int i = 0; i < 200; i++) {
      RawStream.greeted(channel(), 1_000 + i).send(Collections.nCopies(50, range));
    }
  }

  private static byte[] write(int bytes, int collection) {
    return RequestFrame.newBuilder()
        .addRequests(
            Request.newBuilder()
                .setCollection(collection)
                .setWrite(
                    Write.newBuilder()
                        .setMain(MAIN)
                        .setValue(ByteString.copyFrom(new byte[bytes]))))
        .build()
        .toByteArray();
  }

  private void halfFrames() throws IOException {
    for (int i = 0; i < 30; i++) {
      Socket socket = socket();
      OutputStream out = socket.getOutputStream();
      out.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      out.write(new byte[] {0, 0, 0, 4, 0, 0, 0, 0, 0});
      out.flush();
    }
    for (int i = 0; i < 4; i++) {
      RawStream.greeted(channel(), 2_000 + i).send(write(16 << 20, collection));
    }
  }

  private void largeWrites() {
    byte[] frame = write(4 << 20, collection);
    for (int i = 0; i < 20; i++) {
      RawStream client = RawStream.greeted(channel(), 3_000 + i).taking();
      client.send(frame);
      client.send(frame);
    }
  }

  private void waitingReads() {
    ReadChanges waiting =
        ReadChanges.newBuilder()
            .setAfter(1_000_000)
            .setMaxBytes(100)
            .setWaitMicros(60_000_000)
            .build();
    Request.Builder read = Request.newBuilder().setCollection(collection).setChanges(waiting);
    for (int i = 0; i < 20; i++) {
      RawStream.greeted(channel(), 4_000 + i).send(Collections.nCopies(8_000, read));
    }
  }

  private void many(int times, Request.Builder request) {
    RawStream client = RawStream.greeted(channel(), 5_000).taking();
    for (int i = 0; i < times; i++) {
      client.send(request).join();
    }
  }

  private void negativePositions() {
    ReadChanges changes = ReadChanges.newBuilder().setAfter(-1).setMaxBytes(-1).build();
    many(500, Request.newBuilder().setCollection(collection).setChanges(changes));
    many(500, Request.newBuilder().setCollection(collection).setLogId(Long.MIN_VALUE));
  }

  private void manyHellos() {
    ManagedChannel channel = channel();
    for (int i = 0; i < 10_000; i++) {
      RawStream client = RawStream.open(channel);
      client.hello(10_000 + i);
      client.cancel();
    }
  }

  private void longAttempts() {
    Attempt attempt = Attempt.newBuilder().setAttempt("a".repeat(70_000)).build();
    many(200, Request.newBuilder().setCollection(collection).setLift(attempt));
  }

  private void longCollectionNames() {
    many(20, Request.newBuilder().setOpen(Open.newBuilder().setName("n".repeat(1 << 20))));
  }

  private void giantLockBatches() {
    LockAll.Builder batch = LockAll.newBuilder().setSpace("s").setLeaseMillis(1_000);
    ByteString key = ByteString.copyFrom(new byte[15_000]);
    for (int i = 0; i < 1_000; i++) {
      batch.addKeys(key.concat(ByteString.copyFromUtf8("" + i)));
    }
    many(5, Request.newBuilder().setLockAll(batch));
  }

  private void unknownCollections() {
    RawStream client = RawStream.greeted(channel(), 6_000).taking();
    for (int i = 0; i < 2_000; i++) {
      client
          .send(
              Request.newBuilder()
                  .setCollection(1_000 + i)
                  .setGet(KeyOf.newBuilder().setMain(MAIN)))
          .join();
    }
  }

  private void madeUpServices() {
    KeyOf key = KeyOf.newBuilder().setMain(MAIN).build();
    for (int i = 0; i < 1_000; i++) {
      RawStream client = RawStream.open(channels.isEmpty() ? channel() : channels.get(0)).taking();
      client.send(
          RequestFrame.newBuilder()
              .setHello(Hello.newBuilder().setSession(50_000 + i).setClient("made-up" + i))
              .build()
              .toByteArray());
      List<Request.Builder> requests = new ArrayList<>();
      for (int epoch = 0; epoch < 100; epoch++) {
        requests.add(Request.newBuilder().setCollection(collection).setEpoch(epoch).setGet(key));
      }
      client.send(requests).get(99).join();
      client.complete();
    }
  }

  private void idleConnections() throws IOException {
    for (int i = 0; i < 3_000; i++) {
      socket();
    }
  }

  private void slowPrefaces() throws IOException {
    for (int i = 0; i < 200; i++) {
      socket().getOutputStream().write("PRI * HT".getBytes(StandardCharsets.US_ASCII));
    }
  }

  private void randomBytes() throws IOException {
    Random random = new Random(7);
    byte[] bytes = new byte[10_000];
    for (int i = 0; i < 200; i++) {
      random.nextBytes(bytes);
      try {
        OutputStream out = socket().getOutputStream();
        out.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        out.write(bytes);
      } catch (IOException closed) {
        assertThat(closed).isNotNull();
      }
    }
    RawStream client = RawStream.greeted(channel(), 7_000);
    client.send(bytes);
    client.awaitEnd();
  }

  private void silentStreams() {
    for (int i = 0; i < 100; i++) {
      ManagedChannel channel = channel();
      for (int j = 0; j < 20; j++) {
        RawStream.open(channel);
      }
    }
  }

  private void cancelledCalls() {
    ManagedChannel channel = channel();
    for (int i = 0; i < 20_000; i++) {
      RawStream.open(channel).cancel();
    }
  }

  private void hugeMetadata() {
    Metadata headers = new Metadata();
    headers.put(Metadata.Key.of("x", Metadata.ASCII_STRING_MARSHALLER), "x".repeat(1 << 20));
    for (int i = 0; i < 20; i++) {
      ClientCall<byte[], ReplyFrame> call =
          channel().newCall(RawStream.method(LegacyGrpc.getConnectMethod()), CallOptions.DEFAULT);
      call.start(new ClientCall.Listener<>() {}, headers);
      call.request(1);
    }
  }

  private void watches() {
    for (int i = 0; i < 40; i++) {
      call(HealthGrpc.getWatchMethod(), new byte[0]);
    }
  }

  private void madeUpStatistics() {
    for (int i = 0; i < 50; i++) {
      call(
          LegacyGrpc.getStatisticsMethod(),
          StatisticsOf.newBuilder().setCollection("c" + i).build().toByteArray());
    }
  }

  private void streamsWithoutToken() {
    for (int i = 0; i < 10; i++) {
      ManagedChannel channel = channelWithoutToken();
      for (int j = 0; j < 1_000; j++) {
        RawStream stream = RawStream.open(channel);
        stream.hello(j);
        assertThat(stream.awaitEnd().getCode()).isEqualTo(Status.Code.UNAUTHENTICATED);
      }
    }
  }

  private void madeUpConsumers() {
    RawStream client = RawStream.greeted(channel(), 8_000).taking();
    for (int i = 0; i < 1_000; i++) {
      Consumed consumed = Consumed.newBuilder().setConsumer("made-up" + i).setUpTo(0).build();
      client.send(Request.newBuilder().setCollection(collection).setConsumed(consumed)).join();
    }
  }

  /** Answers of megabytes, which a session would keep until they are settled. */
  private void numberedReads() {
    ReadRange all = ReadRange.newBuilder().setMain(MAIN).setEntries(100).setBytes(1).build();
    for (int i = 0; i < 10; i++) {
      RawStream client = RawStream.greeted(channel(), 8_100 + i).taking();
      for (int j = 1; j <= 100; j++) {
        client
            .send(Request.newBuilder().setCollection(collection).setSequence(j).setRange(all))
            .join();
      }
    }
  }

  private void madeUpLockSpaces() {
    RawStream client = RawStream.greeted(channel(), 8_200).taking();
    int refused = 0;
    for (int i = 0; i < 25; i++) {
      List<Request.Builder> requests = new ArrayList<>();
      for (int j = 0; j < 500; j++) {
        requests.add(Request.newBuilder().setLockSpace("made-up-" + i + "-" + j));
      }
      for (CompletableFuture<Reply> reply : client.send(requests)) {
        refused += reply.join().hasFailure() ? 1 : 0;
      }
    }
    assertThat(refused).isPositive();
  }
}
