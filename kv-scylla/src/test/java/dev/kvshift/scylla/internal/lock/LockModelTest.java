package dev.kvshift.scylla.internal.lock;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.scylla.internal.lock.LockModel.Acknowledge;
import dev.kvshift.scylla.internal.lock.LockModel.Bounds;
import dev.kvshift.scylla.internal.lock.LockModel.Clocks;
import dev.kvshift.scylla.internal.lock.LockModel.Found;
import dev.kvshift.scylla.internal.lock.LockModel.Rule;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The lock design loses no acknowledged count. Without any one of its rules it does. */
final class LockModelTest {
  private static final Bounds TWO_CLIENTS = new Bounds(List.of(1, 1), Clocks.WRONG, true);
  private static final Bounds BY_THE_CLOCK = new Bounds(List.of(1, 1), Clocks.WITHIN_SKEW, false);

  @Test
  void counts_oneHolderComesAgain_areNeverLost() {
    assertHolds(new Bounds(List.of(2, 1), Clocks.WRONG, true), Acknowledge.SERIAL_READ, 100_000);
  }

  @Test
  void counts_threeClients_areNeverLost() {
    assertHolds(
        new Bounds(List.of(1, 1, 1), Clocks.WRONG, false), Acknowledge.SERIAL_READ, 400_000);
  }

  @Test
  void counts_clocksWithinTheSkew_areNeverLost() {
    assertHolds(
        new Bounds(List.of(2, 1), Clocks.WITHIN_SKEW, false), Acknowledge.SERIAL_READ, 200_000);
  }

  @ParameterizedTest
  @EnumSource
  void counts_withoutOneRule_areLost(Rule rule) {
    assertFails(LockModel.search(Set.of(rule), Acknowledge.SERIAL_READ, TWO_CLIENTS));
  }

  @Test
  void counts_acknowledgedWithoutALook_areLost() {
    assertFails(LockModel.search(Set.of(), Acknowledge.ALWAYS, BY_THE_CLOCK));
  }

  @Test
  void counts_acknowledgedWhileTheOwnClockSaysSo_areLost() {
    assertFails(LockModel.search(Set.of(), Acknowledge.CLOCK, BY_THE_CLOCK));
  }

  @Test
  void counts_acknowledgedTheSkewBeforeTheLeaseEnds_areNeverLost() {
    assertHolds(BY_THE_CLOCK, Acknowledge.CLOCK_LESS_SKEW, 20_000);
  }

  private static void assertHolds(Bounds bounds, Acknowledge acknowledge, int atLeast) {
    Found found = LockModel.search(Set.of(), acknowledge, bounds);
    assertThat(found.violation()).isNull();
    assertThat(found.states()).as("states").isGreaterThan(atLeast);
  }

  private static void assertFails(Found found) {
    assertThat(found.violation()).as("steps to a lost count").isNotNull();
  }
}
