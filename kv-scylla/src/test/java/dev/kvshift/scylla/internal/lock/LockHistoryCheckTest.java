package dev.kvshift.scylla.internal.lock;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The checker of lock histories finds every violation, and nothing else. */
final class LockHistoryCheckTest {
  private static final String FIRST = "count k a.1 none 1 10\nacknowledged a.1\n";

  @Test
  void violations_oneAfterTheOther_areNone() {
    assertThat(wrong(FIRST + "count k b.1 a.1 2 20\nacknowledged b.1\n", "2 b.1")).isEmpty();
  }

  @Test
  void violations_unknownThatCountsOrNot_areNone() {
    assertThat(wrong(FIRST + "count k b.1 a.1 2 20\nunknown b.1\n", "2 b.1")).isEmpty();
    assertThat(wrong(FIRST + "count k b.1 a.1 2 20\n", "1 a.1")).isEmpty();
  }

  @Test
  void violations_twoAfterTheSame_areFound() {
    assertThat(wrong(FIRST + "count k b.1 none 1 20\nacknowledged b.1\n", "1 b.1"))
        .singleElement()
        .asString()
        .startsWith("acknowledged and lost: Count[key=k, name=a.1");
  }

  @Test
  void violations_refusedAndWritten_isFound() {
    assertThat(wrong(FIRST + "count k b.1 a.1 2 20\nrefused b.1\n", "2 b.1"))
        .singleElement()
        .asString()
        .startsWith("refused and written");
  }

  @Test
  void violations_countsOfFallingTokens_areFound() {
    assertThat(wrong(FIRST + "count k b.1 a.1 2 9\nacknowledged b.1\n", "2 b.1")).hasSize(1);
  }

  @Test
  void violations_valueThatNobodyWrote_isFound() {
    assertThat(wrong("", "1 x.1")).hasSize(1);
  }

  @Test
  void violations_locksOneAfterTheOtherWithFallingTokens_areFound() {
    assertThat(wrong("lock k 10 100 200\nlock k 9 150 300\n", "0 none")).isEmpty();
    assertThat(wrong("lock k 10 100 200\nlock k 9 201 300\n", "0 none")).hasSize(1);
    assertThat(wrong("lock k 10 100 200\nlock j 9 201 300\n", "0 none")).isEmpty();
    assertThat(wrong("lock k 10 100 200\nlock k 10 100 200\n", "0 none")).hasSize(1);
  }

  private static List<String> wrong(String lines, String last) {
    LockHistory history = new LockHistory();
    lines.lines().forEach(history::add);
    return history.violations(Map.of("k", last));
  }
}
