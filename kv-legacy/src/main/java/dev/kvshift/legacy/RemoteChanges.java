package dev.kvshift.legacy;

import dev.kvshift.legacy.PendingRequest.Kind;
import dev.kvshift.legacy.wire.Consumed;
import dev.kvshift.legacy.wire.LegacyLimits;
import dev.kvshift.legacy.wire.Messages;
import dev.kvshift.legacy.wire.Nothing;
import dev.kvshift.legacy.wire.ReadChanges;
import dev.kvshift.legacy.wire.Reply;
import dev.kvshift.legacy.wire.Request;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ChangeSource;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The changes of a collection, read from the server. */
final class RemoteChanges implements ChangeSource {
  private final LegacyCollection collection;

  RemoteChanges(LegacyCollection collection) {
    this.collection = collection;
  }

  @Override
  public CompletionStage<Batch> read(long after, int maxBytes, Duration wait) {
    Duration bounded = LegacyLimits.bounded(wait);
    Call call = collection.call();
    Call patient = Call.until(call.deadlineNanos() + bounded.toNanos()).withEpoch(call.epoch());
    return collection.ask(
        Kind.READ,
        patient,
        () ->
            Request.newBuilder()
                .setChanges(
                    ReadChanges.newBuilder()
                        .setAfter(after)
                        .setMaxBytes(maxBytes)
                        .setWaitMicros(TimeUnit.NANOSECONDS.toMicros(bounded.toNanos()))),
        reply -> Messages.changes(reply.getChanges()));
  }

  @Override
  public CompletionStage<String> logId(long position) {
    return collection.ask(
        Kind.REPEATABLE,
        collection.call(),
        () -> Request.newBuilder().setLogId(position),
        Reply::getText);
  }

  @Override
  public CompletionStage<Window> window() {
    return collection.ask(
        Kind.READ,
        collection.call(),
        () -> Request.newBuilder().setWindow(Nothing.getDefaultInstance()),
        reply -> Window.of(reply.getWindow().getOldest(), reply.getWindow().getNewest()));
  }

  @Override
  public CompletionStage<Duration> consumed(String consumer, long upTo) {
    return collection.ask(
        Kind.REPEATABLE,
        collection.call(),
        () ->
            Request.newBuilder()
                .setConsumed(Consumed.newBuilder().setConsumer(consumer).setUpTo(upTo)),
        reply -> Duration.ofMillis(reply.getNumber()));
  }

  @Override
  public CompletionStage<@Nullable Void> forget(String consumer) {
    return collection.ask(
        Kind.REPEATABLE,
        collection.call(),
        () -> Request.newBuilder().setForgetConsumer(consumer),
        reply -> null);
  }
}
