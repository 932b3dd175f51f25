package dev.kvshift.legacy;

import dev.kvshift.legacy.PendingRequest.Kind;
import dev.kvshift.legacy.wire.Attempt;
import dev.kvshift.legacy.wire.CompareAndSet;
import dev.kvshift.legacy.wire.Messages;
import dev.kvshift.legacy.wire.Nothing;
import dev.kvshift.legacy.wire.RaiseFence;
import dev.kvshift.legacy.wire.Reassert;
import dev.kvshift.legacy.wire.Reply;
import dev.kvshift.legacy.wire.Request;
import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.Usage;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The gate of a collection, held by the server. */
final class RemoteGate implements Gate {
  private final LegacyCollection collection;

  RemoteGate(LegacyCollection collection) {
    this.collection = collection;
  }

  private <T extends @Nullable Object> CompletionStage<T> ask(
      Kind kind, Supplier<Request.Builder> request, Function<Reply, T> decode) {
    return collection.ask(kind, collection.call(), request, decode);
  }

  @Override
  public CompletionStage<State> state() {
    return ask(
        Kind.READ,
        () -> Request.newBuilder().setGateState(Nothing.getDefaultInstance()),
        RemoteGate::state);
  }

  @Override
  public CompletionStage<Boolean> compareAndSet(State expected, State next) {
    return ask(
        Kind.ONCE,
        () ->
            Request.newBuilder()
                .setCompareAndSet(
                    CompareAndSet.newBuilder()
                        .setExpected(Messages.state(expected))
                        .setNext(Messages.state(next))),
        Reply::getChanged);
  }

  @Override
  public CompletionStage<Fence> fence(String attempt, FenceOptions options) {
    return ask(
        Kind.REPEATABLE,
        () ->
            Request.newBuilder()
                .setRaiseFence(
                    RaiseFence.newBuilder()
                        .setAttempt(attempt)
                        .setLifetimeMillis(Math.max(0, options.lifetime().toMillis()))
                        .addAllGivenUp(options.givenUp())),
        reply -> Messages.fence(reply.getFence()));
  }

  @Override
  public CompletionStage<@Nullable Void> lift(String attempt) {
    return ask(Kind.REPEATABLE, () -> Request.newBuilder().setLift(named(attempt)), reply -> null);
  }

  @Override
  public CompletionStage<State> move(String attempt) {
    return ask(
        Kind.REPEATABLE, () -> Request.newBuilder().setMove(named(attempt)), RemoteGate::state);
  }

  @Override
  public CompletionStage<State> seal(long epoch) {
    return ask(Kind.REPEATABLE, () -> Request.newBuilder().setSeal(epoch), RemoteGate::state);
  }

  @Override
  public CompletionStage<Row> reassert(StoreKey key, long atLeast) {
    return ask(
        Kind.ONCE,
        () -> {
          collection.check(key);
          return Request.newBuilder()
              .setReassert(
                  Reassert.newBuilder()
                      .setMain(Messages.bytes(key.main()))
                      .setClustering(Messages.bytes(key.clustering()))
                      .setAtLeast(atLeast));
        },
        reply -> Messages.row(reply.getRow()));
  }

  @Override
  public CompletionStage<@Nullable Void> applied(long version) {
    return ask(Kind.REPEATABLE, () -> Request.newBuilder().setApplied(version), reply -> null);
  }

  @Override
  public void listen(LongConsumer listener) {
    collection.listen(listener);
  }

  @Override
  public CompletionStage<List<Instance>> instances() {
    return ask(
        Kind.READ,
        () -> Request.newBuilder().setInstances(Nothing.getDefaultInstance()),
        reply -> reply.getInstances().getInstancesList().stream().map(Messages::instance).toList());
  }

  @Override
  public CompletionStage<Usage> usage(Instant since) {
    return ask(
        Kind.READ,
        () -> Request.newBuilder().setUsage(since.toEpochMilli()),
        reply -> Messages.usage(reply.getUsage()));
  }

  private static Attempt named(String attempt) {
    return Attempt.newBuilder().setAttempt(attempt).build();
  }

  private static State state(Reply reply) {
    return Messages.state(reply.getGate());
  }
}
