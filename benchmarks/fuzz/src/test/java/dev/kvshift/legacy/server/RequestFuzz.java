package dev.kvshift.legacy.server;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.kvshift.api.KvException;
import dev.kvshift.fuzz.FuzzTarget;
import dev.kvshift.legacy.server.internal.admission.MemoryBudget;
import dev.kvshift.legacy.server.internal.engine.Engine;
import dev.kvshift.legacy.server.internal.storage.EngineOptions;
import dev.kvshift.legacy.wire.Attempt;
import dev.kvshift.legacy.wire.CompareAndSet;
import dev.kvshift.legacy.wire.Consumed;
import dev.kvshift.legacy.wire.GateState;
import dev.kvshift.legacy.wire.KeyOf;
import dev.kvshift.legacy.wire.LockAll;
import dev.kvshift.legacy.wire.LockOf;
import dev.kvshift.legacy.wire.Open;
import dev.kvshift.legacy.wire.RaiseFence;
import dev.kvshift.legacy.wire.ReadChanges;
import dev.kvshift.legacy.wire.ReadRange;
import dev.kvshift.legacy.wire.Reassert;
import dev.kvshift.legacy.wire.Renew;
import dev.kvshift.legacy.wire.Request;
import dev.kvshift.legacy.wire.Scan;
import dev.kvshift.legacy.wire.Write;
import dev.kvshift.spi.Futures;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Requests to a legacy server, answered by a store in a temporary folder. Every request, however
 * malformed, ends with a reply or an error of the contract.
 */
public final class RequestFuzz implements FuzzTarget {
  private static final ByteString MAIN = ByteString.copyFromUtf8("m");
  private static final long SECONDS = 10;

  /** Opened at the first request, and left open until the process ends. */
  private static final class Server {
    static final Engine ENGINE = open();
    static final Dispatcher DISPATCHER =
        new Dispatcher(
            ENGINE, new ReadThrottle(Runnable::run, new MemoryBudget(64L << 20).account()));

    private static Engine open() {
      try {
        Path folder = Files.createTempDirectory("kvshift-fuzz");
        Engine engine = Engine.open(EngineOptions.of(folder, 4).withSync(false));
        engine.collection("files").join();
        return engine;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  @Override
  public List<byte[]> seeds() {
    GateState state = GateState.newBuilder().setPhase("LEGACY").build();
    LockOf lock = LockOf.newBuilder().setSpace("s").setKey(MAIN).setOwner("o").build();
    return Stream.of(
            request().setOpen(Open.newBuilder().setName("files")),
            request().setGet(KeyOf.newBuilder().setMain(MAIN)),
            request().setWrite(Write.newBuilder().setMain(MAIN).setValue(MAIN).setLock(lock)),
            request().setRange(ReadRange.newBuilder().setMain(MAIN).setEntries(1).setBytes(9)),
            request().setScan(Scan.newBuilder().setAfter(-1).setUpTo(4).setEntries(1).setBytes(9)),
            request().setChanges(ReadChanges.newBuilder().setAfter(0).setMaxBytes(100)),
            request().setLogId(1),
            request().setConsumed(Consumed.newBuilder().setConsumer("c").setUpTo(1)),
            request().setReassert(Reassert.newBuilder().setMain(MAIN)),
            request()
                .setCompareAndSet(CompareAndSet.newBuilder().setExpected(state).setNext(state)),
            request().setRaiseFence(RaiseFence.newBuilder().setAttempt("a").setLifetimeMillis(9)),
            request().setLift(Attempt.newBuilder().setAttempt("a")),
            request().setLockAll(LockAll.newBuilder().setSpace("s").addKeys(MAIN)),
            request().setRenew(Renew.newBuilder().setLock(lock).setLeaseMillis(1_000)),
            request().setRelease(lock))
        .map(request -> request.build().toByteArray())
        .toList();
  }

  private static Request.Builder request() {
    return Request.newBuilder().setId(1).setCollection(1).setBudgetMicros(1_000_000);
  }

  @Override
  public void decode(byte[] input) {
    Request request;
    try {
      request = Request.parseFrom(input);
    } catch (InvalidProtocolBufferException refused) {
      return;
    }
    Request.Builder hurried = request.toBuilder();
    if (request.getBudgetMicros() > 1_000_000) {
      hurried.setBudgetMicros(1_000_000);
    }
    if (request.hasChanges()) {
      hurried.getChangesBuilder().setWaitMicros(0);
    }
    if (request.hasRaiseFence()) {
      hurried.getRaiseFenceBuilder().setLifetimeMillis(1);
    }
    CompletableFuture<?> answer = Server.DISPATCHER.answer(hurried.build());
    try {
      answer.orTimeout(SECONDS, TimeUnit.SECONDS).join();
    } catch (CompletionException e) {
      if (!(Futures.unwrap(e) instanceof KvException)) {
        throw new AssertionError("no error of the contract", Futures.unwrap(e));
      }
    }
  }
}
