package dev.kvshift.legacy.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
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
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.health.v1.HealthGrpc;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CompletableFuture;

/**
 * The attacks of {@link HostileLoad}, in a process of their own: its memory and its threads are not
 * those of the client that is served. It reads the names of attacks, a line each, tells when one is
 * over, and closes what that has opened when the next line comes.
 */
final class Attacker {
  /** Follows the name of an attack that is over; a line before it names what went wrong. */
  static final String OVER = "over: ";

  private static final ByteString MAIN = ByteString.copyFromUtf8("m");

  private final List<ManagedChannel> channels = new ArrayList<>();
  private final List<Socket> sockets = new ArrayList<>();
  private final Map<String, Attack> attacks = attacks();
  private final String address;
  private final String token;
  private final int collection;

  private Attacker(String address, String token, int collection) {
    this.address = address;
    this.token = token;
    this.collection = collection;
  }

  /** The work of an attacker; it may fail, and need not end what it has begun. */
  private interface Attack {
    void run() throws Exception;
  }

  /**
   * Runs the attacks that its input names, until that ends.
   *
   * @param arguments the server's address, a token, and the number of a collection whose main key
   *     {@code m} has rows of 512 KiB
   */
  public static void main(String[] arguments) throws IOException {
    Attacker attacker = new Attacker(arguments[0], arguments[1], Integer.parseInt(arguments[2]));
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String name = in.readLine(); name != null; name = in.readLine()) {
      attacker.close();
      attacker.run(name);
      System.out.println(OVER + name);
    }
    System.exit(0);
  }

  /** Returns the names of all attacks, in the order in which they are tried. */
  static List<String> names() {
    return List.copyOf(new Attacker("", "", 0).attacks.keySet());
  }

  private void run(String name) {
    try {
      Objects.requireNonNull(attacks.get(name), name).run();
    } catch (Exception | AssertionError refused) {
      System.out.println(name + ": " + refused);
    }
  }

  private void close() throws IOException {
    channels.forEach(ManagedChannel::shutdownNow);
    channels.clear();
    for (Socket socket : sockets) {
      socket.close();
    }
    sockets.clear();
  }

  /** Returns a channel of an attacker who knows a token. */
  private ManagedChannel channel() {
    ManagedChannel channel = RawStream.channel(address, token);
    channels.add(channel);
    return channel;
  }

  private ManagedChannel channelWithoutToken() {
    ManagedChannel channel = RawStream.channel(address);
    channels.add(channel);
    return channel;
  }

  private Socket socket() throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), port());
    sockets.add(socket);
    return socket;
  }

  private int port() {
    return Integer.parseInt(address.substring(address.lastIndexOf(':') + 1));
  }

  private Map<String, Attack> attacks() {
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
    return attacks;
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
