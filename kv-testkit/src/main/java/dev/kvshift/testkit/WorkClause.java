package dev.kvshift.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvCollection;
import dev.kvshift.api.KvObserver.Observation;
import dev.kvshift.api.KvObserver.Operation;
import dev.kvshift.api.KvObserver.Result;
import dev.kvshift.api.KvStore;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.testkit.CountingStore.Request;
import dev.kvshift.testkit.Surface.Page;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What an operation of the views may ask of the store, and what the observer is told of it. */
public abstract class WorkClause extends Clause {
  private static final Bytes VALUE = hex("0102030405");

  private final List<Observation> observed = Collections.synchronizedList(new ArrayList<>());

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void get_ofAnEntry_asksOnceAndTellsItsBytes(boolean async) {
    Key key = Key.of(freshMain());
    points(Face.SYNC).put(key, VALUE);
    CountingStore counting = counting();
    KvCollection view = view(counting, pointLayout());
    assertThat(surface(view, async).get(key)).isEqualTo(VALUE);
    assertThat(counting.requests()).containsExactly(Request.GET);
    assertObserved(view, new Work(Operation.GET, VALUE.size(), 1));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void get_ofNothing_asksOnceAndTellsNoEntry(boolean async) {
    CountingStore counting = counting();
    KvCollection view = view(counting, pointLayout());
    assertThat(surface(view, async).get(Key.of(freshMain()))).isNull();
    assertThat(counting.requests()).containsExactly(Request.GET);
    assertObserved(view, new Work(Operation.GET, 0, 0));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void put_anEntryTwice_writesTwiceAndReadsNothing(boolean async) {
    Key key = Key.of(freshMain());
    CountingStore counting = counting();
    KvCollection view = view(counting, pointLayout());
    surface(view, async).put(key, VALUE);
    surface(view, async).put(key, Bytes.empty());
    assertThat(counting.requests()).containsExactly(Request.WRITE, Request.WRITE);
    assertObserved(view, new Work(Operation.PUT, VALUE.size(), 1), new Work(Operation.PUT, 0, 1));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void delete_ofAnEntry_writesOnceAndReadsNothing(boolean async) {
    Key key = Key.of(freshMain());
    points(Face.SYNC).put(key, VALUE);
    CountingStore counting = counting();
    KvCollection view = view(counting, pointLayout());
    surface(view, async).delete(key);
    assertThat(counting.requests()).containsExactly(Request.WRITE);
    assertObserved(view, new Work(Operation.DELETE, 0, 1));
  }

  @ParameterizedTest
  @CsvSource({"false,1", "false,3", "false,100", "true,1", "true,3", "true,100"})
  @Needs(Capability.RANGES)
  void getRange_pageByPage_asksOnceForEachAndTellsItsBytes(boolean async, int limit) {
    Bytes main = freshMain();
    for (int i = 0; i < 10; i++) {
      ranges(Face.SYNC).put(Key.of(main, Bytes.of((byte) 1, (byte) i)), VALUE);
    }
    CountingStore counting = counting();
    KvCollection view = view(counting, rangeLayout());
    List<Page> pages = surface(view, async).pages(main, Range.all(), PageLimit.entries(limit));
    assertThat(pages.stream().mapToInt(page -> page.entries().size()).sum()).isEqualTo(10);
    assertThat(counting.requests())
        .containsExactlyElementsOf(repeated(Request.RANGE, pages.size()));
    int entryBytes = 2 + VALUE.size();
    assertObserved(
        view,
        pages.stream()
            .map(page -> page.entries().size())
            .map(entries -> new Work(Operation.GET_RANGE, (long) entries * entryBytes, entries))
            .toArray(Work[]::new));
  }

  @ParameterizedTest
  @CsvSource({"false,1", "false,65", "false,500", "true,1", "true,65", "true,500"})
  void putAllGetAllDeleteAll_severalKeys_askOnceForEach(boolean async, int count) {
    Map<Key, Bytes> entries = new LinkedHashMap<>();
    for (int i = 0; i < count; i++) {
      entries.put(Key.of(freshMain()), VALUE);
    }
    CountingStore counting = counting();
    KvCollection view = view(counting, pointLayout());
    if (async) {
      join(view.async().putAll(entries, WriteOptions.none()));
      join(view.async().getAll(entries.keySet()));
      join(view.async().deleteAll(entries.keySet(), WriteOptions.none()));
    } else {
      view.putAll(entries, WriteOptions.none());
      view.getAll(entries.keySet());
      view.deleteAll(entries.keySet(), WriteOptions.none());
    }
    List<Request> requests = new ArrayList<>(repeated(Request.WRITE, count));
    requests.addAll(repeated(Request.GET, count));
    requests.addAll(repeated(Request.WRITE, count));
    assertThat(counting.requests()).containsExactlyElementsOf(requests);
    List<Work> works = new ArrayList<>(repeated(new Work(Operation.PUT, VALUE.size(), 1), count));
    works.addAll(repeated(new Work(Operation.GET, VALUE.size(), 1), count));
    works.addAll(repeated(new Work(Operation.DELETE, 0, 1), count));
    assertObserved(view, works.toArray(Work[]::new));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void request_wrong_asksNothingAndTellsNothing(boolean async) {
    Key wrong = Key.of(Bytes.empty());
    CountingStore counting = counting();
    KvCollection view = view(counting, pointLayout());
    assertPermanent(() -> surface(view, async).get(wrong));
    assertPermanent(
        () -> {
          surface(view, async).put(wrong, VALUE);
          return wrong;
        });
    assertPermanent(
        () -> surface(view, async).page(freshMain(), Range.all(), PageLimit.entries(1), null));
    assertThat(counting.requests()).isEmpty();
    assertObserved(view);
  }

  /** What the observer is told, but for how long it took. */
  private record Work(Operation operation, long bytes, int entries) {}

  private void assertObserved(KvCollection view, Work... works) {
    assertThat(observed)
        .allSatisfy(
            each -> {
              assertThat(each.collection()).isEqualTo(view.name());
              assertThat(each.result()).isEqualTo(Result.OK);
              assertThat(each.duration()).isPositive();
            })
        .map(each -> new Work(each.operation(), each.bytes(), each.entries()))
        .containsExactly(works);
  }

  /** The store of the whole run is within, so that nothing has to be closed. */
  private CountingStore counting() {
    return new CountingStore(store());
  }

  private KvCollection view(CountingStore counting, Layout layout) {
    return KvStore.over(counting, observed::add, rig().fixture.clock())
        .collection(rig().sharedName(layout), layout);
  }

  private static Surface surface(KvCollection view, boolean async) {
    return async ? Surface.async(view) : Surface.sync(view);
  }

  private static <T> List<T> repeated(T each, int times) {
    return Collections.nCopies(times, each);
  }
}
