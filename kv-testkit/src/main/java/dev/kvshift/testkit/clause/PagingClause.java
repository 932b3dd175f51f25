package dev.kvshift.testkit.clause;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.Continuation;
import dev.kvshift.api.Entry;
import dev.kvshift.api.Key;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.Range.Direction;
import dev.kvshift.api.RangePage;
import dev.kvshift.api.RangePage.Stop;
import dev.kvshift.testkit.clause.CollectionUnderTest.Page;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Reading a range page by page: limits, continuations, and changes between pages. */
@Needs(Capability.RANGES)
public abstract class PagingClause extends Clause {
  private static final int COUNT = 37;

  @ParameterizedTest
  @CsvSource({
    "SPI,FORWARD,1",
    "SPI,FORWARD,2",
    "SPI,FORWARD,7",
    "SPI,FORWARD,36",
    "SPI,FORWARD,37",
    "SPI,FORWARD,38",
    "SPI,FORWARD,10000",
    "SPI,BACKWARD,1",
    "SPI,BACKWARD,2",
    "SPI,BACKWARD,7",
    "SPI,BACKWARD,36",
    "SPI,BACKWARD,37",
    "SPI,BACKWARD,38",
    "SPI,BACKWARD,10000",
    "SYNC,FORWARD,1",
    "SYNC,FORWARD,7",
    "SYNC,FORWARD,37",
    "SYNC,FORWARD,10000",
    "SYNC,BACKWARD,1",
    "SYNC,BACKWARD,7",
    "SYNC,BACKWARD,37",
    "SYNC,BACKWARD,10000",
    "ASYNC,FORWARD,1",
    "ASYNC,FORWARD,7",
    "ASYNC,FORWARD,37",
    "ASYNC,FORWARD,10000",
    "ASYNC,BACKWARD,1",
    "ASYNC,BACKWARD,7",
    "ASYNC,BACKWARD,37",
    "ASYNC,BACKWARD,10000"
  })
  void paging_byEntries_givesEveryEntryOnceInOrder(
      CollectionApi api, Direction direction, int limit) {
    Bytes main = filled(api, COUNT, 3);
    List<Page> pages = ranges(api).pages(main, all(direction), PageLimit.entries(limit));
    assertThat(joined(pages)).isEqualTo(expected(COUNT, 3, direction));
    assertWellFormed(pages, PageLimit.of(limit, PageLimit.DEFAULT_BYTES));
  }

  @ParameterizedTest
  @CsvSource({
    "SPI,FORWARD,1", "SPI,FORWARD,100", "SPI,FORWARD,101", "SPI,FORWARD,1000",
    "SPI,BACKWARD,1", "SPI,BACKWARD,100", "SPI,BACKWARD,101", "SPI,BACKWARD,1000",
    "SYNC,FORWARD,101", "SYNC,BACKWARD,1000", "ASYNC,FORWARD,1000", "ASYNC,BACKWARD,101"
  })
  void paging_byBytes_keepsTheLimitUnlessOneEntryIsLarger(
      CollectionApi api, Direction direction, int bytes) {
    Bytes main = filled(api, 20, 49);
    PageLimit limit = PageLimit.of(1_000, bytes);
    List<Page> pages = ranges(api).pages(main, all(direction), limit);
    assertThat(joined(pages)).isEqualTo(expected(20, 49, direction));
    assertWellFormed(pages, limit);
  }

  @EachApiAndDirection
  void paging_byBytesOfLongClusteringKeys_countsThem(CollectionApi api, Direction direction) {
    Bytes main = freshMain();
    for (int i = 0; i < 20; i++) {
      byte[] clustering = new byte[200];
      clustering[0] = (byte) i;
      ranges(api).put(Key.of(main, Bytes.of(clustering)), hex("01"));
    }
    PageLimit limit = PageLimit.of(1_000, 1_000);
    List<Page> pages = ranges(api).pages(main, all(direction), limit);
    assertThat(joined(pages)).hasSize(20);
    assertWellFormed(pages, limit);
  }

  @ParameterizedTest
  @EnumSource
  void page_oneEntryLargerThanTheLimit_isGivenAlone(CollectionApi api) {
    Bytes main = freshMain();
    Bytes large = Bytes.of(new byte[50_000]);
    ranges(api).put(Key.of(main, hex("10")), hex("01"));
    ranges(api).put(Key.of(main, hex("20")), large);
    ranges(api).put(Key.of(main, hex("30")), hex("03"));
    PageLimit limit = PageLimit.of(100, 1_000);
    List<Page> pages = ranges(api).pages(main, Range.all(), limit);
    assertThat(joined(pages))
        .containsExactly(
            Entry.of(hex("10"), hex("01")),
            Entry.of(hex("20"), large),
            Entry.of(hex("30"), hex("03")));
    assertWellFormed(pages, limit);
  }

  @EachApiAndDirection
  void paging_withinBounds_staysWithinThem(CollectionApi api, Direction direction) {
    Bytes main = filled(api, COUNT, 3);
    for (boolean inclusive : List.of(true, false)) {
      Range range =
          Range.all()
              .withFrom(Bytes.of((byte) 5), inclusive)
              .withTo(Bytes.of((byte) 30), inclusive)
              .withDirection(direction);
      List<Entry> expected = expected(COUNT, 3, direction);
      expected.removeIf(entry -> !range.contains(entry.clustering()));
      for (int limit : List.of(1, 4, 24, 25, 26, 27)) {
        assertThat(ranges(api).entries(main, range, PageLimit.entries(limit))).isEqualTo(expected);
      }
    }
  }

  @EachApiAndDirection
  void paging_changesBetweenPages_areSeenAheadAndNotBehind(CollectionApi api, Direction direction) {
    boolean forward = direction == Direction.FORWARD;
    Bytes main = freshMain();
    for (String clustering : List.of("10", "20", "30", "40", "50")) {
      ranges(api).put(Key.of(main, hex(clustering)), hex("01"));
    }
    CollectionUnderTest ranges = ranges(api);
    PageLimit limit = PageLimit.entries(2);
    Page first = ranges.page(main, all(direction), limit, null);
    assertThat(clusterings(first))
        .containsExactly(forward ? hex("10") : hex("50"), forward ? hex("20") : hex("40"));
    ranges.delete(Key.of(main, forward ? hex("20") : hex("40")));
    ranges.delete(Key.of(main, hex("30")));
    ranges.put(Key.of(main, forward ? hex("15") : hex("45")), hex("02"));
    ranges.put(Key.of(main, forward ? hex("25") : hex("35")), hex("02"));
    ranges.put(Key.of(main, forward ? hex("60") : hex("05")), hex("02"));
    List<Bytes> rest = new ArrayList<>();
    Object next = first.next();
    while (next != null) {
      Page page = ranges.page(main, all(direction), limit, next);
      rest.addAll(clusterings(page));
      next = page.next();
    }
    assertThat(rest)
        .isEqualTo(
            forward
                ? List.of(hex("25"), hex("40"), hex("50"), hex("60"))
                : List.of(hex("35"), hex("20"), hex("10"), hex("05")));
  }

  @EachApiAndDirection
  void paging_thousandsOfDeletedInFront_reachesTheLiveOnes(CollectionApi api, Direction direction) {
    Bytes main = freshMain();
    CollectionUnderTest ranges = ranges(api);
    ranges.put(Key.of(main, hex("00")), hex("01"));
    ranges.put(Key.of(main, hex("ff")), hex("02"));
    for (int i = 0; i < 1_200; i++) {
      ranges.delete(Key.of(main, Bytes.of((byte) 0x10, (byte) (i >> 8), (byte) i)));
    }
    List<Entry> expected =
        new ArrayList<>(List.of(Entry.of(hex("00"), hex("01")), Entry.of(hex("ff"), hex("02"))));
    if (direction == Direction.BACKWARD) {
      Collections.reverse(expected);
    }
    List<Page> pages = ranges.pages(main, all(direction), PageLimit.entries(10));
    assertThat(joined(pages)).isEqualTo(expected);
    assertWellFormed(pages, PageLimit.entries(10));
  }

  @ParameterizedTest
  @EnumSource
  void page_lastOne_saysEndAndNothingElseDoes(CollectionApi api) {
    Bytes main = filled(api, 10, 1);
    for (int limit : List.of(3, 5, 10, 11)) {
      List<Page> pages = ranges(api).pages(main, Range.all(), PageLimit.entries(limit));
      assertThat(pages.get(pages.size() - 1).stop()).isEqualTo(Stop.END);
      assertThat(pages.subList(0, pages.size() - 1))
          .allSatisfy(page -> assertThat(page.stop()).isNotEqualTo(Stop.END));
    }
  }

  @ParameterizedTest
  @EnumSource
  void page_sameContinuationAgain_givesTheSamePage(CollectionApi api) {
    Bytes main = filled(api, 10, 1);
    Page first = ranges(api).page(main, Range.all(), PageLimit.entries(4), null);
    Page second = ranges(api).page(main, Range.all(), PageLimit.entries(4), first.next());
    assertThat(ranges(api).page(main, Range.all(), PageLimit.entries(4), first.next()))
        .isEqualTo(second);
    assertThat(ranges(api).page(main, Range.all(), PageLimit.entries(4), null)).isEqualTo(first);
  }

  @ParameterizedTest
  @EnumSource
  void page_limitMayChangeBetweenPages(CollectionApi api) {
    Bytes main = filled(api, 10, 1);
    List<Entry> entries = new ArrayList<>();
    Object next = null;
    int limit = 1;
    do {
      Page page = ranges(api).page(main, Range.all(), PageLimit.entries(limit), next);
      assertThat(page.entries()).hasSizeLessThanOrEqualTo(limit);
      entries.addAll(page.entries());
      next = page.next();
      limit++;
    } while (next != null);
    assertThat(entries).isEqualTo(expected(10, 1, Direction.FORWARD));
  }

  @ParameterizedTest
  @EnumSource
  void paging_continuation_goesOnOnAnotherConnection(Direction direction) {
    Bytes main = filled(CollectionApi.SYNC, 10, 1);
    String name = tested().sharedName(rangeLayout());
    RangePage first = view().getRange(main, all(direction), PageLimit.entries(4));
    Continuation next = Objects.requireNonNull(first.next());
    try (KvStore other = KvStore.over(tested().fixture.open())) {
      RangePage rest =
          other
              .collection(name, rangeLayout())
              .getRange(
                  main, all(direction), PageLimit.entries(100), Continuation.parse(next.print()));
      List<Entry> entries = new ArrayList<>(first.entries());
      entries.addAll(rest.entries());
      assertThat(entries).isEqualTo(expected(10, 1, direction));
    }
  }

  @Test
  void paging_foreignContinuation_isRefused() {
    Bytes main = filled(CollectionApi.SYNC, 10, 1);
    Continuation next =
        Objects.requireNonNull(view().getRange(main, Range.all(), PageLimit.entries(4)).next());
    PageLimit limit = PageLimit.entries(4);
    assertInvalid(() -> view().getRange(freshMain(), Range.all(), limit, next));
    assertInvalid(() -> view().getRange(main, Range.all().backward(), limit, next));
    KvCollection other = tested().view(tested().freshName(), rangeLayout());
    assertInvalid(() -> other.getRange(main, Range.all(), limit, next));
  }

  private KvCollection view() {
    return tested().view(tested().sharedName(rangeLayout()), rangeLayout());
  }

  private Bytes filled(CollectionApi api, int count, int valueBytes) {
    Bytes main = freshMain();
    for (Entry entry : expected(count, valueBytes, Direction.FORWARD)) {
      ranges(api).put(Key.of(main, entry.clustering()), entry.value());
    }
    return main;
  }

  private static List<Entry> expected(int count, int valueBytes, Direction direction) {
    List<Entry> entries = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      byte[] value = new byte[valueBytes];
      value[0] = (byte) i;
      entries.add(Entry.of(Bytes.of((byte) i), Bytes.of(value)));
    }
    if (direction == Direction.BACKWARD) {
      Collections.reverse(entries);
    }
    return entries;
  }

  /**
   * Asserts that pages respect their limits, make progress, and that only the last one is the end.
   */
  private static void assertWellFormed(List<Page> pages, PageLimit limit) {
    for (Page page : pages) {
      long bytes = 0;
      for (Entry entry : page.entries()) {
        bytes += entry.clustering().size() + entry.value().size();
      }
      assertThat(page.entries()).hasSizeLessThanOrEqualTo(limit.entries());
      assertThat(bytes <= limit.bytes() || page.entries().size() == 1).isTrue();
      if (page.entries().isEmpty()) {
        assertThat(page.stop()).isIn(Stop.END, Stop.SCAN_LIMIT);
      }
      if (page.stop() == Stop.ENTRY_LIMIT) {
        assertThat(page.entries()).hasSize(limit.entries());
      }
    }
  }

  private static Range all(Direction direction) {
    return direction == Direction.FORWARD ? Range.all() : Range.all().backward();
  }

  private static List<Entry> joined(List<Page> pages) {
    List<Entry> entries = new ArrayList<>();
    pages.forEach(page -> entries.addAll(page.entries()));
    return entries;
  }

  private static List<Bytes> clusterings(Page page) {
    return page.entries().stream().map(Entry::clustering).toList();
  }
}
