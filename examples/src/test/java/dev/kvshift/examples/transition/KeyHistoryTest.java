package dev.kvshift.examples.transition;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.examples.transition.KeyHistory.Request;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class KeyHistoryTest {
  private static final long END = 1_000;

  private final KeyHistory history = new KeyHistory(1);

  @Test
  void isLinearizableUntil_readOfAnOldValue_isFalse() {
    write("s1", "a", 0, 10L);
    write("s1", "b", 20, 30L);
    read("s2", "a", 40, 50);

    assertThat(history.isLinearizableUntil(END)).isFalse();
    assertThat(history.isLinearizableUntil(50)).isTrue();
    assertThat(history.isLinearizableUntil(51)).isFalse();
  }

  @Test
  void isLinearizableUntil_unknownWriteThatShowsLate_isTrue() {
    write("s1", "a", 0, null);
    write("s1", "b", 20, 30L);
    read("s2", "b", 40, 50);
    read("s2", "a", 60, 70);

    assertThat(history.isLinearizableUntil(END)).isTrue();
  }

  @Test
  void isLinearizableUntil_writeInProgressAtTheEnd_mayHaveTakenEffect() {
    write("s1", "a", 0, 500L);
    read("s2", "a", 10, 20);
    read("s2", "a", 200, 300);

    assertThat(history.isLinearizableUntil(100)).isTrue();
  }

  @Test
  void isLinearizableUntil_moreRequestsThanTheOracleTakes_judgesTheFirst() {
    write("s1", "a", 0, 10L);
    read("s1", null, 20, 30);
    for (int i = 0; i < 100; i++) {
      read("s1", "a", 100 + i, 100 + i);
    }

    assertThat(history.isLinearizableUntil(END)).isFalse();
  }

  @Test
  void lost_acknowledgedWriteThatNothingReplaced_isNamed() {
    write("s1", "a", 0, 10L);
    write("s1", "b", 20, 30L);

    assertThat(history.lost("b")).isNull();
    assertThat(history.lost("a")).extracting(Request::value).isEqualTo("b");
    assertThat(history.lost(null)).extracting(Request::value).isEqualTo("a");
  }

  @Test
  void lost_deleteThatIsUndone_isNamed() {
    write("s1", "a", 0, 10L);
    write("s1", null, 20, 30L);

    assertThat(history.lost(null)).isNull();
    assertThat(history.lost("a")).extracting(Request::called).isEqualTo(20L);
  }

  @Test
  void lost_concurrentOrUnknownWrites_areNotCounted() {
    write("s1", "a", 0, 25L);
    write("s2", "b", 20, 30L);
    write("s3", "c", 5, null);

    assertThat(history.lost("a")).isNull();
    assertThat(history.lost("b")).isNull();
    assertThat(history.lost("c")).isNull();
    assertThat(history.lost("never written")).isNotNull();
  }

  @Test
  void sessionViolation_readBehindItsOwnWrite_isNamed() {
    write("s1", "a", 0, 10L);
    write("s2", "b", 20, 30L);
    read("s1", "a", 40, 50);
    assertThat(history.sessionViolation(0)).isNull();

    read("s2", "a", 60, 70);
    assertThat(history.sessionViolation(0)).extracting(Request::called).isEqualTo(60L);
    assertThat(history.sessionViolation(21)).isNull();
  }

  @Test
  void sessionViolation_readThatGoesBack_isNamed() {
    write("s1", "a", 0, 10L);
    write("s1", "b", 20, 30L);
    read("s2", "a", 25, 28);
    read("s2", "b", 40, 50);
    assertThat(history.sessionViolation(0)).isNull();

    read("s2", null, 60, 70);
    assertThat(history.sessionViolation(0)).extracting(Request::called).isEqualTo(60L);
  }

  @Test
  void sessionViolation_rangeReads_areNoSession() {
    write(KeyHistory.NO_SESSION, "a", 0, 10L);
    write(KeyHistory.NO_SESSION, "b", 20, 30L);
    read(KeyHistory.NO_SESSION, "a", 40, 50);

    assertThat(history.sessionViolation(0)).isNull();
  }

  private void write(String session, @Nullable String value, long called, @Nullable Long answered) {
    history.add(new Request(session, true, value, called, answered));
  }

  private void read(String session, @Nullable String value, long called, long answered) {
    history.add(new Request(session, false, value, called, answered));
  }
}
