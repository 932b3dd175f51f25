package dev.kvshift.legacy.server;

import static dev.kvshift.legacy.server.Stores.await;
import static dev.kvshift.legacy.server.Stores.unhurried;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.kvshift.api.Bytes;
import dev.kvshift.legacy.server.internal.commit.Table;
import dev.kvshift.legacy.server.internal.storage.EngineOptions;
import dev.kvshift.legacy.wire.Failure;
import dev.kvshift.legacy.wire.Hello;
import dev.kvshift.legacy.wire.KeyOf;
import dev.kvshift.legacy.wire.LegacyGrpc;
import dev.kvshift.legacy.wire.LegacyLimits;
import dev.kvshift.legacy.wire.Nothing;
import dev.kvshift.legacy.wire.ReadChanges;
import dev.kvshift.legacy.wire.ReadRange;
import dev.kvshift.legacy.wire.Reassert;
import dev.kvshift.legacy.wire.Reply;
import dev.kvshift.legacy.wire.ReplyFrame;
import dev.kvshift.legacy.wire.Request;
import dev.kvshift.legacy.wire.RequestFrame;
import dev.kvshift.legacy.wire.Scan;
import dev.kvshift.legacy.wire.Write;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.testkit.concurrent.Await;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.grpc.stub.StreamObserver;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** Tests of the wire format against clients that break its rules. */
class WireTest {
  private static final long BUDGET_MICROS = TimeUnit.SECONDS.toMicros(60);
  private static final ByteString FIRST = ByteString.copyFromUtf8("c0");
  private static final ByteString MAIN = ByteString.copyFromUtf8("m");

  @TempDir Path directory;
  private RunningServer server;
  private ManagedChannel channel;
  private Table table;
  private long ids;

  @BeforeEach
  void open() {
    server = RunningServer.start(EngineOptions.of(directory, 4), ServerOptions.loopback(0));
    channel =
        NettyChannelBuilder.forTarget(server.address())
            .usePlaintext()
            .maxInboundMessageSize(LegacyLimits.MAX_FRAME_BYTES)
            .build();
    table = await(server.engine().collection("files"));
  }

  @AfterEach
  void close() {
    channel.shutdownNow();
    server.close();
  }

  /** One stream and what has arrived on it. */
  private final class Client implements ClientResponseObserver<RequestFrame, ReplyFrame> {
    private final Map<Long, CompletableFuture<Reply>> replies = new ConcurrentHashMap<>();
    private final CompletableFuture<Status> end =
        new CompletableFuture<Status>().orTimeout(60, TimeUnit.SECONDS);
    private final CompletableFuture<Boolean> welcome = new CompletableFuture<>();
    private final StreamObserver<RequestFrame> out;
    private final boolean unwilling;
    private ClientCallStreamObserver<RequestFrame> call;

    Client() {
      this(false);
    }

    /** Creates a client that accepts the welcome and nothing more until {@link #take}. */
    Client(boolean unwilling) {
      this.unwilling = unwilling;
      out = LegacyGrpc.newStub(channel).connect(this);
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<RequestFrame> started) {
      call = started;
      if (unwilling) {
        started.disableAutoRequestWithInitial(1);
      }
    }

    void take() {
      call.request(Integer.MAX_VALUE);
    }

    Client greeted(long session) {
      out.onNext(
          RequestFrame.newBuilder()
              .setHello(Hello.newBuilder().setSession(session).setClient("raw").setLibrary("1"))
              .build());
      welcome.join();
      return this;
    }

    CompletableFuture<Reply> send(Request.Builder request) {
      RequestFrame.Builder frame = RequestFrame.newBuilder();
      CompletableFuture<Reply> reply = add(frame, request);
      out.onNext(frame.build());
      return reply;
    }

    CompletableFuture<Reply> add(RequestFrame.Builder frame, Request.Builder request) {
      long id = ++ids;
      CompletableFuture<Reply> reply =
          new CompletableFuture<Reply>().orTimeout(60, TimeUnit.SECONDS);
      replies.put(id, reply);
      frame.addRequests(request.setId(id).setCollection(table.id()).setBudgetMicros(BUDGET_MICROS));
      return reply;
    }

    @Override
    public void onNext(ReplyFrame frame) {
      if (frame.hasWelcome()) {
        welcome.complete(true);
      }
      frame.getRepliesList().forEach(reply -> replies.get(reply.getId()).complete(reply));
    }

    @Override
    public void onError(Throwable problem) {
      end.complete(Status.fromThrowable(problem));
      replies.values().forEach(reply -> reply.completeExceptionally(problem));
    }

    @Override
    public void onCompleted() {
      end.complete(Status.OK);
    }
  }

  private static Request.Builder time() {
    return Request.newBuilder().setServerTime(Nothing.getDefaultInstance());
  }

  private static Request.Builder put() {
    return Request.newBuilder()
        .setWrite(Write.newBuilder().setMain(MAIN).setValue(ByteString.copyFromUtf8("v")));
  }

  private void raiseEpoch() {
    Gate.State first = server.engine().gates().state(table);
    Gate.State next =
        Gate.State.first().withEpoch(5).withPhase(Phase.SHADOW_WRITE).withAcceptMin(4);
    assertThat(await(server.engine().gates().compareAndSet(table, first, next))).isTrue();
  }

  @Test
  void frame_withMoreRequestsThanMayBeInFlight_endsItsStreamOnly() {
    Client hostile = new Client().greeted(1);
    Client other = new Client().greeted(2);
    RequestFrame.Builder frame = RequestFrame.newBuilder();
    for (int i = 0; i <= LegacyLimits.MAX_FRAME_REQUESTS; i++) {
      frame.addRequests(Request.newBuilder());
    }

    hostile.out.onNext(frame.build());

    assertThat(hostile.end.join().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(other.send(put()).join().hasFailure()).isFalse();
  }

  @Test
  void hello_withTooManyUnsettled_endsTheStream() {
    Client hostile = new Client();
    Hello.Builder hello = Hello.newBuilder().setSession(1);
    for (long sequence = 0; sequence <= Sessions.MAX_UNSETTLED; sequence++) {
      hello.addUnsettled(sequence);
    }

    hostile.out.onNext(RequestFrame.newBuilder().setHello(hello).build());

    assertThat(hostile.end.join().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
  }

  @Test
  void changes_negativePosition_isPermanent() {
    Client client = new Client().greeted(1);

    for (long after : new long[] {-1, Long.MIN_VALUE}) {
      Reply reply =
          client
              .send(
                  Request.newBuilder()
                      .setChanges(ReadChanges.newBuilder().setAfter(after).setMaxBytes(100)))
              .join();

      assertThat(reply.getFailure().getKind()).isEqualTo(Failure.Kind.PERMANENT);
      assertThat(reply.getFailure().getMessage()).contains("give 0 or more");
    }
  }

  @Test
  void write_budgetBeyondTheClock_isServed() {
    Client client = new Client().greeted(1);
    RequestFrame.Builder frame = RequestFrame.newBuilder();
    CompletableFuture<Reply> reply = client.add(frame, put());
    frame.getRequestsBuilder(0).setBudgetMicros(Long.MAX_VALUE);

    client.out.onNext(frame.build());

    assertThat(reply.join().hasFailure()).isFalse();
  }

  @Test
  void hello_twiceOnOneStream_endsTheStream() {
    Client client = new Client().greeted(1);

    client.out.onNext(RequestFrame.newBuilder().setHello(Hello.newBuilder().setSession(2)).build());

    assertThat(client.end.join().getCode()).isEqualTo(Status.Code.FAILED_PRECONDITION);
  }

  @Test
  void reply_ofEveryKind_carriesTheCurrentEpoch() {
    raiseEpoch();
    Client client = new Client().greeted(1);
    KeyOf key = KeyOf.newBuilder().setMain(MAIN).build();
    ReadRange range = ReadRange.newBuilder().setMain(MAIN).setEntries(1).setBytes(100).build();
    Scan scan = Scan.newBuilder().setAfter(-1).setUpTo(3).setEntries(1).setBytes(100).build();
    List<Request.Builder> requests =
        List.of(
            put().setEpoch(5),
            Request.newBuilder().setGet(key).setEpoch(5),
            Request.newBuilder().setRange(range).setEpoch(4),
            Request.newBuilder().setScan(scan),
            Request.newBuilder().setChanges(ReadChanges.newBuilder().setMaxBytes(100)),
            Request.newBuilder().setWindow(Nothing.getDefaultInstance()),
            Request.newBuilder().setGateState(Nothing.getDefaultInstance()),
            Request.newBuilder().setInstances(Nothing.getDefaultInstance()),
            Request.newBuilder().setApplied(1),
            Request.newBuilder().setReassert(Reassert.newBuilder().setMain(MAIN)),
            put().setEpoch(3),
            Request.newBuilder().setGet(key),
            Request.newBuilder().setSeal(17));

    for (Request.Builder request : requests) {
      Reply reply = client.send(request).join();
      assertThat(reply.getEpoch()).as("%s", reply).isEqualTo(5);
    }
    assertThat(client.send(put().setEpoch(3)).join().hasFailure()).isTrue();
  }

  @Test
  void frame_largerThanTheLimit_endsItsStreamOnly() {
    Client other = new Client().greeted(1);
    Client client = new Client().greeted(2);
    ByteString half = ByteString.copyFrom(new byte[21 << 20]);
    RequestFrame.Builder frame = RequestFrame.newBuilder();
    for (int i = 0; i < 2; i++) {
      client.add(
          frame, Request.newBuilder().setWrite(Write.newBuilder().setMain(MAIN).setValue(half)));
    }
    client.out.onNext(frame.build());

    assertThat(client.end.join().getCode())
        .isIn(Status.Code.RESOURCE_EXHAUSTED, Status.Code.CANCELLED);
    assertThat(other.send(put()).join().getNumber()).isPositive();
    assertThat(server.engine().reads().window(table).newest()).isEqualTo(1);
  }

  @Test
  void value_largerThanTheLimit_isRefusedByTheServerToo() {
    ByteString value = ByteString.copyFrom(new byte[(16 << 20) + 1]);
    Reply reply =
        new Client()
            .greeted(1)
            .send(Request.newBuilder().setWrite(Write.newBuilder().setMain(MAIN).setValue(value)))
            .join();

    assertThat(reply.getFailure().getMessage()).contains("the limit is 16777216");
    assertThat(server.engine().reads().window(table).newest()).isZero();
  }

  @Test
  void stream_withoutHello_isRefused() {
    Client client = new Client();
    client.send(put());

    assertThat(client.end.join().getCode()).isEqualTo(Status.Code.FAILED_PRECONDITION);
    assertThat(server.engine().reads().window(table).newest()).isZero();
  }

  @Test
  void stream_afterItsSessionWasClosed_takesNothingMore() {
    Client client = new Client().greeted(1);
    client.out.onNext(RequestFrame.newBuilder().setBye(true).build());
    client.send(put().setSequence(1));
    assertThat(client.end.join().getCode()).isEqualTo(Status.Code.FAILED_PRECONDITION);

    Client late = new Client();
    late.out.onNext(RequestFrame.newBuilder().setHello(Hello.newBuilder().setSession(1)).build());
    late.send(put().setSequence(2));

    assertThat(late.end.join().getCode()).isEqualTo(Status.Code.FAILED_PRECONDITION);
    assertThat(server.engine().reads().window(table).newest()).isZero();
  }

  @Test
  void stream_tooMuchInFlight_takesNoFrameUntilThereIsRoom() {
    Client busy = new Client().greeted(1);
    Client other = new Client().greeted(2);
    RequestFrame.Builder full = RequestFrame.newBuilder();
    ReadChanges waiting =
        ReadChanges.newBuilder().setMaxBytes(100).setWaitMicros(BUDGET_MICROS).build();
    for (int i = 0; i < ServerStream.MAX_IN_FLIGHT; i++) {
      busy.add(full, Request.newBuilder().setChanges(waiting));
    }
    busy.out.onNext(full.build());
    Await.until("all wait", () -> table.changeWaiterCount() == ServerStream.MAX_IN_FLIGHT);

    CompletableFuture<Reply> behind = busy.send(time());
    for (int i = 0; i < 50; i++) {
      other.send(time()).join();
    }
    assertThat(behind).isNotDone();

    StoreKey key = StoreKey.of(Bytes.utf8("m"), Bytes.empty());
    await(server.engine().write(table, key, Mutation.delete(), unhurried()));
    assertThat(behind.join().getNumber()).isPositive();
    busy.replies.values().forEach(CompletableFuture::join);
  }

  @Test
  void stream_driverTakesNoReplies_readsOnlyWhileThereIsRoom() {
    int rows = 8;
    int rowBytes = 1 << 20;
    for (int i = 0; i < rows; i++) {
      StoreKey key = StoreKey.of(Bytes.utf8("m"), Bytes.utf8("c" + i));
      Mutation mutation = Mutation.put(Bytes.of(new byte[rowBytes]));
      await(server.engine().write(table, key, mutation, unhurried()));
    }
    Client client = new Client(true).greeted(1);
    ReadRange all = ReadRange.newBuilder().setMain(MAIN).setEntries(100).setBytes(16 << 20).build();
    KeyOf one = KeyOf.newBuilder().setMain(MAIN).setClustering(FIRST).build();
    int reads = 40;
    for (int i = 0; i < reads / 2; i++) {
      client.send(Request.newBuilder().setRange(all));
      client.send(Request.newBuilder().setGet(one));
    }
    Await.until("the room is full", () -> server.service().unsentBytes() >= ReadThrottle.MAX_BYTES);
    Client other = new Client().greeted(2);
    for (int i = 0; i < 20; i++) {
      other.send(Request.newBuilder().setGet(one)).join();
    }

    long threads = 2L * Runtime.getRuntime().availableProcessors();
    assertThat(server.service().unsentBytes())
        .isLessThan(ReadThrottle.MAX_BYTES + (threads + 1) * (rows + 1) * rowBytes);

    client.take();
    for (CompletableFuture<Reply> reply : client.replies.values()) {
      assertThat(reply.join().hasFailure()).isFalse();
    }
    assertThat(client.replies).hasSize(reads);
    Await.until("all was sent", () -> server.service().unsentBytes() == 0);
  }

  @Test
  void server_byDefault_bindsToLoopback() {
    assertThat(server.address()).startsWith("127.0.0.1:");
    assertThat(
            new CommandLine(new LegacyCommand.Serve())
                .getCommandSpec()
                .findOption("--bind")
                .defaultValue())
        .isEqualTo("127.0.0.1");
  }
}
