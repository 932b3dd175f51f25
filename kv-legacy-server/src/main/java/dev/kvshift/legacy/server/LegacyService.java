package dev.kvshift.legacy.server;

import dev.kvshift.api.KvException;
import dev.kvshift.legacy.server.internal.admission.MemoryBudget;
import dev.kvshift.legacy.server.internal.admission.ReceivedFrame;
import dev.kvshift.legacy.server.internal.commit.Table;
import dev.kvshift.legacy.server.internal.engine.Engine;
import dev.kvshift.legacy.wire.LegacyGrpc;
import dev.kvshift.legacy.wire.ReplyFrame;
import dev.kvshift.legacy.wire.RowCount;
import dev.kvshift.legacy.wire.StatisticsOf;
import dev.kvshift.legacy.wire.StatisticsReply;
import dev.kvshift.spi.ChangeSource;
import io.grpc.BindableService;
import io.grpc.MethodDescriptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;

/** The gRPC service: streams of drivers, and statistics. Safe for use by many threads. */
final class LegacyService implements BindableService {
  private final Engine engine;
  private final Executor longReads;
  private final Sessions sessions;
  private final Executor workers;
  private final Set<ServerStream> streams = ConcurrentHashMap.newKeySet();

  LegacyService(Engine engine, Executor workers, Executor longReads, MemoryBudget memory) {
    this.engine = engine;
    this.sessions = new Sessions(memory);
    this.longReads = longReads;
    this.workers = workers;
  }

  /** The methods of the service. Frames of requests are weighed before they are decoded. */
  @Override
  public ServerServiceDefinition bindService() {
    MethodDescriptor<ReceivedFrame, ReplyFrame> connect =
        LegacyGrpc.getConnectMethod().toBuilder(
                ReceivedFrame.marshaller(), LegacyGrpc.getConnectMethod().getResponseMarshaller())
            .build();
    return ServerServiceDefinition.builder(LegacyGrpc.SERVICE_NAME)
        .addMethod(connect, ServerCalls.asyncBidiStreamingCall(this::connect))
        .addMethod(LegacyGrpc.getStatisticsMethod(), ServerCalls.asyncUnaryCall(this::statistics))
        .build();
  }

  private StreamObserver<ReceivedFrame> connect(StreamObserver<ReplyFrame> out) {
    ServerStream stream =
        new ServerStream(
            engine, sessions, workers, longReads, (ServerCallStreamObserver<ReplyFrame>) out);
    streams.add(stream);
    return stream;
  }

  private void statistics(StatisticsOf request, StreamObserver<StatisticsReply> out) {
    try {
      Table table = engine.knownCollection(request.getCollection());
      if (!request.getCount()) {
        out.onNext(statistics(table));
        out.onCompleted();
        return;
      }
      engine
          .maintenance()
          .count(table)
          .whenCompleteAsync(
              (counted, error) -> {
                if (error != null) {
                  out.onError(Status.ABORTED.withDescription(error.getMessage()).asException());
                } else {
                  out.onNext(statistics(table));
                  out.onCompleted();
                }
              },
              workers);
    } catch (KvException e) {
      out.onError(Status.NOT_FOUND.withDescription(e.getMessage()).asRuntimeException());
    }
  }

  private StatisticsReply statistics(Table table) {
    ChangeSource.Window window = engine.reads().window(table);
    StatisticsReply.Builder reply =
        StatisticsReply.newBuilder()
            .setSinceMillis(engine.usage().sinceMillis())
            .setNowMillis(engine.now().toEpochMilli())
            .setChangeBytes(engine.reads().changeBytes(table))
            .setNewestPosition(window.newest())
            .setOldestPosition(window.oldest())
            .setTombstoneHorizon(table.publishedHorizon())
            .addAllConsumers(engine.consumers().of(table))
            .addAllClients(engine.usage().of(table.id()));
    engine.reads().partitionBytes(table).forEach(reply::addPartitionBytes);
    RowCount counted = engine.rowSweeper().counted(table);
    if (counted != null) {
      reply.setRows(counted);
    }
    return reply.build();
  }

  /** Returns the bytes of replies that wait to be sent, over all streams. */
  long unsentBytes() {
    return streams.stream().mapToLong(ServerStream::unsentBytes).sum();
  }

  int streams() {
    return streams.size();
  }

  /** Ends the streams that have stalled, and forgets those that have ended. */
  void endStalled(long now) {
    streams.forEach(stream -> stream.endIfStalled(now));
    streams.removeIf(ServerStream::isEnded);
    sessions.forgetIdle();
  }

  /** Answers what is in flight on every stream and ends the streams. */
  void drain() {
    streams.forEach(ServerStream::drain);
  }
}
