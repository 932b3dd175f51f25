package dev.kvshift;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvObserver;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.RangePage.Stop;
import dev.kvshift.api.ReadOptions;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.RowPage;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The deadline of each call: the store's time-out, or that of the call's options. */
final class TimeoutsTest {
  private static final Key ONE = Key.of(Bytes.utf8("one"));
  private static final Key TWO = Key.of(Bytes.utf8("two"));
  private static final Bytes VALUE = Bytes.utf8("value");
  private static final PageLimit LIMIT = PageLimit.entries(1);
  private static final Duration TIMEOUT = Duration.ofMinutes(3);
  private static final ReadOptions READ = ReadOptions.timeout(TIMEOUT);
  private static final WriteOptions WRITE = WriteOptions.timeout(TIMEOUT);

  private final ScriptedCollection script = new ScriptedCollection();
  private final KvCollection sync = script.view(KvObserver.NONE);
  private final KvCollection.Async async = sync.async();

  TimeoutsTest() {
    script.get = () -> CompletableFuture.completedFuture(null);
    script.write = () -> CompletableFuture.completedFuture(1L);
    script.range = () -> CompletableFuture.completedFuture(RowPage.of(List.of(), Stop.END, null));
  }

  @Test
  void everyCall_withoutOptions_hasTheTimeOutOfTheStore() {
    assertDeadlines(
        Duration.ofSeconds(10),
        () -> sync.get(ONE),
        () -> sync.put(ONE, VALUE),
        () -> sync.delete(ONE),
        () -> sync.getRange(ONE.main(), Range.all(), LIMIT),
        () -> sync.getRange(ONE.main(), Range.all(), LIMIT, null),
        () -> sync.getAll(List.of(ONE)),
        () -> sync.putAll(Map.of(ONE, VALUE)),
        () -> sync.deleteAll(List.of(ONE)),
        () -> async.get(ONE),
        () -> async.put(ONE, VALUE),
        () -> async.delete(ONE),
        () -> async.getRange(ONE.main(), Range.all(), LIMIT),
        () -> async.getRange(ONE.main(), Range.all(), LIMIT, null),
        () -> async.getAll(List.of(ONE)),
        () -> async.putAll(Map.of(ONE, VALUE)),
        () -> async.deleteAll(List.of(ONE)));
  }

  @Test
  void everyCall_withATimeOut_hasThatDeadline() {
    assertDeadlines(
        TIMEOUT,
        () -> sync.get(ONE, READ),
        () -> sync.put(ONE, VALUE, WRITE),
        () -> sync.delete(ONE, WRITE),
        () -> sync.getRange(ONE.main(), Range.all(), LIMIT, null, READ),
        () -> sync.getAll(List.of(ONE), READ),
        () -> sync.putAll(Map.of(ONE, VALUE), WRITE),
        () -> sync.deleteAll(List.of(ONE), WRITE),
        () -> async.get(ONE, READ),
        () -> async.put(ONE, VALUE, WRITE),
        () -> async.delete(ONE, WRITE),
        () -> async.getRange(ONE.main(), Range.all(), LIMIT, null, READ),
        () -> async.getAll(List.of(ONE), READ),
        () -> async.putAll(Map.of(ONE, VALUE), WRITE),
        () -> async.deleteAll(List.of(ONE), WRITE));
  }

  @Test
  void multiKeyCalls_allKeys_shareOneDeadline() {
    Stream.<Runnable>of(
            () -> sync.getAll(List.of(ONE, TWO), READ),
            () -> sync.putAll(Map.of(ONE, VALUE, TWO, VALUE), WRITE),
            () -> sync.deleteAll(List.of(ONE, TWO), WRITE))
        .forEach(
            call -> {
              script.calls.clear();
              call.run();
              assertThat(script.calls).hasSize(2);
              assertThat(script.calls.get(0)).isSameAs(script.calls.get(1));
            });
  }

  private void assertDeadlines(Duration timeout, Runnable... calls) {
    assertThat(calls)
        .allSatisfy(
            call -> {
              script.calls.clear();
              long before = System.nanoTime();
              call.run();
              long after = System.nanoTime();
              assertThat(script.calls)
                  .singleElement()
                  .extracting(Call::deadlineNanos)
                  .satisfies(
                      deadline ->
                          assertThat(deadline - timeout.toNanos()).isBetween(before, after));
            });
  }
}
