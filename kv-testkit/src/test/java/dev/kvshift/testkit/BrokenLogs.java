package dev.kvshift.testkit;

import static dev.kvshift.testkit.BrokenDriversTest.collection;
import static dev.kvshift.testkit.ForwardingParts.withLog;

import dev.kvshift.api.KvException;
import dev.kvshift.spi.StoreCollection;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.provider.Arguments;

/** Collections that break a sentence of {@link dev.kvshift.spi.ChangeSource} each. */
final class BrokenLogs {
  private BrokenLogs() {}

  static Stream<Arguments> all() {
    return Stream.of(
        collection(
            "ignores the size of a batch",
            BrokenLogs::ignoresBatchSizes,
            DriverKit.ChangeSource.class,
            "read_largeChanges_batchesKeepTheirSizeUnlessOneIsLarger"),
        collection(
            "never waits",
            BrokenLogs::neverWaits,
            DriverKit.ChangeSource.class,
            "read_atTheEnd_waitsForTheNextChange"),
        collection(
            "shares its log id",
            BrokenLogs::sharesItsLogId,
            DriverKit.ChangeSource.class,
            "logId_otherLog_isAnother"),
        collection(
            "knows the ids of positions to come",
            BrokenLogs::knowsIdsToCome,
            DriverKit.ChangeSource.class,
            "logId_otherLog_isAnother"),
        collection(
            "prints an empty log id",
            BrokenLogs::printsAnEmptyLogId,
            DriverKit.ChangeSource.class,
            "logId_sameLog_staysTheSame"),
        collection(
            "counts one position too many",
            BrokenLogs::countsOneTooMany,
            DriverKit.ChangeSource.class,
            "read_newCollection_isEmpty"),
        collection(
            "hides fences",
            BrokenLogs::hidesFences,
            DriverKit.Fence.class,
            "changes_fenceAndLift_areRecordsInCommitOrder"),
        collection(
            "reads past the end",
            BrokenLogs::readsPastTheEnd,
            DriverKit.ChangeSource.class,
            "read_positionNeverGiven_isPermanent"),
        collection(
            "retains nothing for a consumer",
            BrokenLogs::retainsNothing,
            DriverKit.ChangeSource.class,
            "consumed_anyPosition_tellsHowLongTheNextChangeIsRetained"),
        collection(
            "forgets no stranger",
            BrokenLogs::forgetsNoStranger,
            DriverKit.ChangeSource.class,
            "forget_nobody_succeeds"),
        collection(
            "leaves a waiting read alone when closed",
            BrokenLogs::leavesWaitingReadsAlone,
            DriverKit.ChangeSource.class,
            "read_waitingWhenTheStoreIsClosed_ends"),
        collection(
            "reads on after it was closed",
            BrokenLogs::readsOnWhenClosed,
            DriverKit.ChangeSource.class,
            "read_waitingWhenTheStoreIsClosed_ends"));
  }

  private static StoreCollection ignoresBatchSizes(StoreCollection collection) {
    return withLog(
        collection,
        log ->
            new ForwardingParts.Log(log) {
              @Override
              public CompletionStage<Batch> read(long after, int maxBytes, Duration wait) {
                return inner.read(after, 1 << 30, wait);
              }
            });
  }

  private static StoreCollection neverWaits(StoreCollection collection) {
    return withLog(
        collection,
        log ->
            new ForwardingParts.Log(log) {
              @Override
              public CompletionStage<Batch> read(long after, int maxBytes, Duration wait) {
                return inner.read(after, maxBytes, Duration.ZERO);
              }
            });
  }

  private static StoreCollection sharesItsLogId(StoreCollection collection) {
    return withLog(
        collection,
        log ->
            new ForwardingParts.Log(log) {
              @Override
              public CompletionStage<String> logId(long position) {
                return inner.logId(position).thenApply(id -> "log-" + position);
              }
            });
  }

  private static StoreCollection knowsIdsToCome(StoreCollection collection) {
    return withLog(
        collection,
        log ->
            new ForwardingParts.Log(log) {
              @Override
              public CompletionStage<String> logId(long position) {
                return inner
                    .window()
                    .thenCompose(window -> inner.logId(Math.min(position, window.newest())));
              }
            });
  }

  private static StoreCollection printsAnEmptyLogId(StoreCollection collection) {
    return withLog(
        collection,
        log ->
            new ForwardingParts.Log(log) {
              @Override
              public CompletionStage<String> logId(long position) {
                return inner.logId(position).thenApply(id -> "");
              }
            });
  }

  private static StoreCollection countsOneTooMany(StoreCollection collection) {
    return withLog(
        collection,
        log ->
            new ForwardingParts.Log(log) {
              @Override
              public CompletionStage<Window> window() {
                return inner
                    .window()
                    .thenApply(window -> Window.of(window.oldest(), window.newest() + 1));
              }
            });
  }

  private static StoreCollection hidesFences(StoreCollection collection) {
    return withLog(
        collection,
        log ->
            new ForwardingParts.Log(log) {
              @Override
              public CompletionStage<Batch> read(long after, int maxBytes, Duration wait) {
                return inner
                    .read(after, maxBytes, wait)
                    .thenApply(
                        batch ->
                            batch instanceof Data ? batch : Data.of(List.of(), batch.position()));
              }
            });
  }

  private static StoreCollection readsPastTheEnd(StoreCollection collection) {
    return withLog(
        collection,
        log ->
            new ForwardingParts.Log(log) {
              @Override
              public CompletionStage<Batch> read(long after, int maxBytes, Duration wait) {
                return inner
                    .window()
                    .thenCompose(
                        window ->
                            after > window.newest()
                                ? CompletableFuture.completedFuture(Data.of(List.of(), after))
                                : inner.read(after, maxBytes, wait));
              }
            });
  }

  private static StoreCollection retainsNothing(StoreCollection collection) {
    return withLog(
        collection,
        log ->
            new ForwardingParts.Log(log) {
              @Override
              public CompletionStage<Duration> consumed(String consumer, long upTo) {
                return inner.consumed(consumer, upTo).thenApply(retained -> Duration.ZERO);
              }
            });
  }

  private static StoreCollection forgetsNoStranger(StoreCollection collection) {
    return withLog(
        collection,
        log ->
            new ForwardingParts.Log(log) {
              @Override
              public CompletionStage<@Nullable Void> forget(String consumer) {
                return consumer.equals("nobody")
                    ? CompletableFuture.failedFuture(new KvException.Permanent("no such consumer"))
                    : inner.forget(consumer);
              }
            });
  }

  private static StoreCollection leavesWaitingReadsAlone(StoreCollection collection) {
    return withLog(
        collection,
        log ->
            new ForwardingParts.Log(log) {
              @Override
              public CompletionStage<Batch> read(long after, int maxBytes, Duration wait) {
                CompletableFuture<Batch> result = new CompletableFuture<>();
                inner.read(after, maxBytes, wait).thenAccept(result::complete);
                return result;
              }
            });
  }

  private static StoreCollection readsOnWhenClosed(StoreCollection collection) {
    return withLog(
        collection,
        log ->
            new ForwardingParts.Log(log) {
              @Override
              public CompletionStage<Batch> read(long after, int maxBytes, Duration wait) {
                return inner
                    .read(after, maxBytes, wait)
                    .exceptionally(error -> Data.of(List.of(), after));
              }
            });
  }
}
