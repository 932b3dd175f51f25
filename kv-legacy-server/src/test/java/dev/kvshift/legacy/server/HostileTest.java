package dev.kvshift.legacy.server;

import static dev.kvshift.legacy.server.Stores.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.kvshift.api.Bytes;
import dev.kvshift.legacy.server.internal.admission.SmallCalls;
import dev.kvshift.legacy.server.internal.commit.Table;
import dev.kvshift.legacy.server.internal.storage.EngineOptions;
import dev.kvshift.legacy.server.internal.storage.TimeSource;
import dev.kvshift.legacy.wire.Attempt;
import dev.kvshift.legacy.wire.CompareAndSet;
import dev.kvshift.legacy.wire.Failure;
import dev.kvshift.legacy.wire.GateState;
import dev.kvshift.legacy.wire.KeyOf;
import dev.kvshift.legacy.wire.LegacyLimits;
import dev.kvshift.legacy.wire.LockAll;
import dev.kvshift.legacy.wire.Nothing;
import dev.kvshift.legacy.wire.ReadChanges;
import dev.kvshift.legacy.wire.ReadRange;
import dev.kvshift.legacy.wire.Reply;
import dev.kvshift.legacy.wire.Request;
import dev.kvshift.legacy.wire.RequestFrame;
import dev.kvshift.legacy.wire.Write;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.testkit.concurrent.Await;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthGrpc;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Clients that want to bring the server down, in short forms; {@code ./check hostile} has the long
 * ones. After each attack the memory that it took is free again, and another client is served.
 */
class HostileTest {
  private static final long MEMORY = 64L << 20;
  private static final ByteString MAIN = ByteString.copyFromUtf8("m");

  /** The clock of the machine, whose next reading by a request can fail. */
  private static final class FailingClock implements TimeSource {
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

    void throwOnce(Throwable thrown) {
      failure.set(thrown);
    }

    @Override
    public Reading read() {
      Throwable thrown =
          Thread.currentThread().getName().startsWith("legacy-worker")
              ? failure.getAndSet(null)
              : null;
      if (thrown instanceof Error error) {
        throw error;
      }
      if (thrown instanceof RuntimeException exception) {
        throw exception;
      }
      return SYSTEM.read();
    }
  }

  @TempDir Path directory;
  private final FailingClock clock = new FailingClock();
  private final List<ManagedChannel> channels = new ArrayList<>();
  private RunningServer server;
  private Table table;

  @BeforeEach
  void open() {
    server =
        RunningServer.start(
            EngineOptions.of(directory, 4).with(clock),
            ServerOptions.loopback(0).withMemoryBytes(MEMORY));
    table = await(server.engine().collection("files"));
  }

  @AfterEach
  void close() {
    channels.forEach(ManagedChannel::shutdownNow);
    Await.until("all memory is free", () -> server.usedMemoryBytes() == 0);
    server.close();
  }

  private ManagedChannel channel() {
    ManagedChannel channel = RawStream.channel(server.address());
    channels.add(channel);
    return channel;
  }

  private Request.Builder put(ByteString value) {
    return Request.newBuilder()
        .setCollection(table.id())
        .setWrite(Write.newBuilder().setMain(MAIN).setValue(value));
  }

  private void assertServes() {
    RawStream client = RawStream.greeted(channel(), 4_711).taking();
    assertThat(client.send(put(MAIN)).join().getNumber()).isPositive();
    client.cancel();
  }

  private Failure answer(Request.Builder request) {
    RawStream client = RawStream.greeted(channel(), 1).taking();
    Reply reply = client.send(request.setCollection(table.id())).join();
    client.cancel();
    return reply.getFailure();
  }

  @Test
  void frame_eightMillionEmptyRequests_endsItsStream() {
    RawStream client = RawStream.greeted(channel(), 1);
    byte[] frame = new byte[16_000_000];
    for (int i = 0; i < frame.length; i += 2) {
      frame[i] = RequestFrame.REQUESTS_FIELD_NUMBER << 3 | 2;
    }

    client.send(frame);

    assertThat(client.awaitEnd().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertServes();
  }

  @Test
  void frames_largerThanTheMemoryLeft_endTheirStreamsEarly() {
    byte[] large =
        RequestFrame.newBuilder()
            .addRequests(put(ByteString.copyFrom(new byte[16 << 20])))
            .build()
            .toByteArray();
    List<RawStream> clients = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      RawStream client = RawStream.greeted(channel(), i);
      clients.add(client);
      client.send(large);
    }

    assertServes();
    clients.forEach(RawStream::cancel);
  }

  @Test
  void readers_thatTakeNoReplies_holdNoMoreThanTheBudget() {
    for (int i = 0; i < 8; i++) {
      StoreKey key = StoreKey.of(Bytes.utf8("m"), Bytes.utf8("c" + i));
      Mutation mutation = Mutation.put(Bytes.of(new byte[1 << 20]));
      await(server.engine().write(table, key, mutation, Call.within(Duration.ofMinutes(1))));
    }
    ReadRange all = ReadRange.newBuilder().setMain(MAIN).setEntries(100).setBytes(8 << 20).build();
    List<RawStream> readers = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      RawStream reader = RawStream.greeted(channel(), i);
      readers.add(reader);
      for (int j = 0; j < 20; j++) {
        reader.send(Request.newBuilder().setCollection(table.id()).setRange(all));
      }
    }
    Await.until("replies wait", () -> server.service().unsentBytes() > MEMORY / 6);

    for (int i = 0; i < 20; i++) {
      assertServes();
      assertThat(server.usedMemoryBytes()).isLessThanOrEqualTo(MEMORY);
    }
    readers.forEach(RawStream::cancel);
  }

  @Test
  void waitingReads_ofAStreamThatEnds_endWithIt() {
    RawStream client = RawStream.greeted(channel(), 1);
    ReadChanges waiting =
        ReadChanges.newBuilder()
            .setMaxBytes(100)
            .setWaitMicros(TimeUnit.SECONDS.toMicros(60))
            .build();
    for (int i = 0; i < 1_000; i++) {
      client.send(Request.newBuilder().setCollection(table.id()).setChanges(waiting));
    }
    Await.until("all wait", () -> table.changeWaiterCount() == 1_000);
    assertThat(server.usedMemoryBytes()).isGreaterThan(1_000L * ServerStream.REQUEST_BYTES);

    client.cancel();

    // They would end by themselves after 60 s.
    Duration longest = LegacyLimits.MAX_CHANGE_WAIT.dividedBy(2);
    Await.until("nobody waits", longest, () -> table.changeWaiterCount() == 0);
    assertServes();
  }

  @Test
  void requests_beyondTheMemory_areOverloaded() {
    ReadChanges waiting =
        ReadChanges.newBuilder()
            .setMaxBytes(100)
            .setWaitMicros(TimeUnit.SECONDS.toMicros(60))
            .build();
    Request.Builder request = Request.newBuilder().setCollection(table.id()).setChanges(waiting);
    List<RawStream> clients = new ArrayList<>();
    List<CompletableFuture<Reply>> replies = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      RawStream client = RawStream.greeted(channel(), i).taking();
      clients.add(client);
      replies.addAll(client.send(Collections.nCopies(8_000, request)));
    }

    Await.until(
        "a request is refused, not its answer",
        () -> replies.stream().anyMatch(HostileTest::isRefusedRequest));
    assertServes();
    assertThat(server.usedMemoryBytes()).isLessThanOrEqualTo(MEMORY);
    clients.forEach(RawStream::cancel);
  }

  /** Some answers are refused as well, and a stream whose frame has no room ends. */
  private static boolean isRefusedRequest(CompletableFuture<Reply> reply) {
    if (!reply.isDone() || reply.isCompletedExceptionally()) {
      return false;
    }
    Failure failure = reply.join().getFailure();
    return failure.getKind() == Failure.Kind.OVERLOADED
        && failure.getMessage().startsWith("the server has no memory for the request now");
  }

  @Test
  void names_longerThanTheirLimit_areRefused() {
    String attempt = "a".repeat(70_000);
    Attempt name = Attempt.newBuilder().setAttempt(attempt).build();
    List<Request.Builder> requests =
        List.of(
            Request.newBuilder().setLift(name),
            Request.newBuilder().setMove(name),
            Request.newBuilder().setForgetConsumer(attempt),
            Request.newBuilder().setLockSpace(attempt));

    for (Request.Builder request : requests) {
      Failure failure = answer(request);
      assertThat(failure.getKind()).isEqualTo(Failure.Kind.INVALID_ARGUMENT);
      assertThat(failure.getMessage())
          .isEqualTo("a name of 70000 characters, the limit is 512: make it shorter");
    }
  }

  @Test
  void lockBatch_ofMoreKeysThanTheLimit_isRefused() {
    LockAll.Builder batch = LockAll.newBuilder().setSpace("s").setLeaseMillis(1_000);
    for (int i = 0; i <= 1_000; i++) {
      batch.addKeys(ByteString.EMPTY);
    }

    assertThat(answer(Request.newBuilder().setLockAll(batch)).getMessage())
        .isEqualTo("a request with 1001 keys, the limit is 1000: send several");
  }

  @Test
  void health_messageOfMoreThanAFewKibibytes_endsTheCallWhileItArrives() {
    ClientCall<byte[], HealthCheckResponse> call =
        channel().newCall(RawStream.method(HealthGrpc.getCheckMethod()), CallOptions.DEFAULT);
    CompletableFuture<Status> end = new CompletableFuture<>();
    call.start(
        new ClientCall.Listener<>() {
          @Override
          public void onClose(Status status, Metadata trailers) {
            end.complete(status);
          }
        },
        new Metadata());
    call.sendMessage(new byte[15 << 20]);
    call.halfClose();

    Status status = end.orTimeout(60, TimeUnit.SECONDS).join();
    assertThat(status.getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    assertThat(status.getDescription()).isEqualTo("a message of this call has at most 4096 bytes");
    assertServes();
  }

  @Test
  void healthWatches_beyondTheirLimit_areRefused() {
    List<CompletableFuture<Status>> ends = new ArrayList<>();
    ManagedChannel channel = channel();
    for (int i = 0; i <= SmallCalls.MAX_CALLS; i++) {
      if (i % 16 == 0) {
        channel = channel();
      }
      CompletableFuture<Status> end = new CompletableFuture<>();
      ends.add(end);
      ClientCall<byte[], HealthCheckResponse> watch =
          channel.newCall(RawStream.method(HealthGrpc.getWatchMethod()), CallOptions.DEFAULT);
      watch.start(
          new ClientCall.Listener<>() {
            @Override
            public void onClose(Status status, Metadata trailers) {
              end.complete(status);
            }
          },
          new Metadata());
      watch.request(1);
      watch.sendMessage(new byte[0]);
      watch.halfClose();
    }

    Await.until("one is refused", () -> ends.stream().anyMatch(CompletableFuture::isDone));
    List<CompletableFuture<Status>> refused =
        ends.stream().filter(CompletableFuture::isDone).toList();
    assertThat(refused).hasSize(1);
    assertThat(refused.get(0).join().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    assertServes();
  }

  @Test
  void connections_beyondTheirLimit_areClosedAtOnce() throws IOException {
    assertServes();
    int limit = (int) (MEMORY / RunningServer.CONNECTION_BYTES);
    List<Socket> sockets = new ArrayList<>();
    try {
      for (int i = 0; i < limit; i++) {
        sockets.add(new Socket(InetAddress.getLoopbackAddress(), server.port()));
      }
      Await.until("all are counted", () -> server.openConnections() == limit);
      try (Socket one = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
        one.setSoTimeout(60_000);
        assertThat(one.getInputStream().read()).isEqualTo(-1);
      } catch (java.net.SocketException reset) {
        assertThat(reset).hasMessageContaining("reset");
      }
      assertThat(server.openConnections()).isEqualTo(limit);
    } finally {
      for (Socket socket : sockets) {
        socket.close();
      }
    }
    Await.until("they are gone", () -> server.openConnections() < limit);
    assertServes();
  }

  @Test
  void stream_withoutHello_isEndedOnceItsPatienceIsOver() {
    RawStream silent = RawStream.open(channel());
    RawStream greeted = RawStream.greeted(channel(), 1);
    Await.until("two streams", () -> server.service().streams() == 2);

    server
        .service()
        .endStalled(System.nanoTime() + ServerStream.PATIENCE.toNanos() - 1_000_000_000);
    assertThat(silent.hasEnded()).isFalse();
    server.service().endStalled(System.nanoTime() + ServerStream.PATIENCE.toNanos());

    assertThat(silent.awaitEnd().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
    assertThat(greeted.hasEnded()).isFalse();
    greeted.cancel();
  }

  @Test
  void request_thatFailsUnexpectedly_failsAlone() {
    RawStream client = RawStream.greeted(channel(), 1).taking();
    Request.Builder malformed =
        Request.newBuilder()
            .setCompareAndSet(
                CompareAndSet.newBuilder()
                    .setExpected(GateState.newBuilder().setPhase("LEGACY").setCopy("no copy")));

    CompletableFuture<Reply> failed = client.send(malformed.setCollection(table.id()));
    CompletableFuture<Reply> time =
        client.send(Request.newBuilder().setServerTime(Nothing.getDefaultInstance()));

    assertThat(failed.join().hasFailure()).isTrue();
    assertThat(time.join().getNumber()).isPositive();
    client.cancel();
  }

  @Test
  void range_rowLargerThanTheMemoryLeft_isOverloadedWhateverItsLimit() {
    StoreKey key = StoreKey.of(Bytes.utf8("m"), Bytes.utf8("c"));
    Mutation large = Mutation.put(Bytes.of(new byte[16 << 20]));
    await(server.engine().write(table, key, large, Call.within(Duration.ofMinutes(1))));
    ReadRange tiny = ReadRange.newBuilder().setMain(MAIN).setEntries(1).setBytes(1).build();

    Failure refused = answer(Request.newBuilder().setRange(tiny));

    assertThat(refused.getKind()).isEqualTo(Failure.Kind.OVERLOADED);
    assertServes();
  }

  @Test
  void reads_withSequenceNumbers_areNotKept() {
    RawStream client = RawStream.greeted(channel(), 1).taking();
    Request.Builder time = Request.newBuilder().setServerTime(Nothing.getDefaultInstance());

    long first = client.send(time.setSequence(1)).join().getNumber();
    long second = client.send(time.setSequence(1)).join().getNumber();

    assertThat(second).isGreaterThan(first);
    client.cancel();
  }

  @Test
  void requests_forMadeUpNumbersOfCollections_leaveNothingBehind() {
    RawStream client = RawStream.greeted(channel(), 1).taking();
    List<Request.Builder> requests = new ArrayList<>();
    for (int i = 0; i < 1_000; i++) {
      requests.add(Request.newBuilder().setCollection(1_000_000 + i).setGet(KeyOf.newBuilder()));
    }

    client.send(requests).forEach(reply -> assertThat(reply.join().hasFailure()).isTrue());

    Await.until("all memory is free", () -> server.usedMemoryBytes() == 0);
    client.cancel();
  }

  @Test
  void request_whoseHandlerThrowsAnError_failsAlone() {
    for (Throwable thrown : List.of(new AssertionError("broken"), new IllegalStateException("b"))) {
      RawStream client = RawStream.greeted(channel(), 1).taking();
      Request.Builder time = Request.newBuilder().setServerTime(Nothing.getDefaultInstance());
      clock.throwOnce(thrown);

      List<CompletableFuture<Reply>> replies = client.send(List.of(time, time.clone()));

      assertThat(replies.get(0).join().getFailure().getKind()).isEqualTo(Failure.Kind.PERMANENT);
      assertThat(replies.get(0).join().getFailure().getMessage())
          .isEqualTo("the server failed unexpectedly: " + thrown + "; see the server's log");
      assertThat(replies.get(1).join().getNumber()).isPositive();
      assertServes();
      client.cancel();
    }
  }
}
