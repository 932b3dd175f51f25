package dev.kvshift.spi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Layout;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Values are equal if all their members are: a compare-and-set and a report rely on it. */
final class ValuesTest {
  private static final Instant END = Instant.parse("2026-11-28T10:00:00Z");
  private static final Copy COPY = Copy.parse("0123456789abcdef0123456789abcdef@log");

  /** Values that differ in one member each, created at each call. */
  private static final List<Supplier<List<Object>>> KINDS =
      List.of(
          ValuesTest::states,
          ValuesTest::fences,
          ValuesTest::counts,
          ValuesTest::uses,
          ValuesTest::reports,
          ValuesTest::instances,
          ValuesTest::limits,
          ValuesTest::skews,
          ValuesTest::records);

  private static List<Supplier<List<Object>>> kinds() {
    return KINDS;
  }

  private static List<Object> states() {
    Gate.State first = Gate.State.first();
    return List.of(
        first,
        first.withEpoch(7),
        first.withPhase(Phase.DUAL_WRITE),
        first.withAcceptMin(7),
        first.withFence(Gate.Fence.of("one", 1, 2, END)),
        first.withSealed(true),
        first.withFloor(7),
        first.withVersionCeiling(7),
        first.withApplied(7),
        first.withCopy(COPY),
        first.withIncarnation(7),
        first.withRamp(7));
  }

  private static List<Object> fences() {
    return List.of(
        Gate.Fence.of("one", 1, 2, END),
        Gate.Fence.of("two", 1, 2, END),
        Gate.Fence.of("one", 3, 2, END),
        Gate.Fence.of("one", 1, 3, END),
        Gate.Fence.of("one", 1, 2, END.plusMillis(1)));
  }

  private static List<Object> uses() {
    InstanceReport.Use use = InstanceReport.Use.acknowledging(3);
    return List.of(
        use,
        InstanceReport.Use.acknowledging(4),
        use.withLayout(Layout.point()),
        use.withCopy(COPY),
        use.withProblem("no keyspace"),
        use.withSkew(Duration.ofMillis(1)),
        use.withUncertainty(Duration.ofMillis(1)),
        use.withCounts(SideCounts.NONE.withMissHits(1)));
  }

  private static List<Object> counts() {
    SideCounts counts = SideCounts.NONE.withRequests(9, 3).withMissHits(2).withComparisons(8, 4);
    return List.of(
        counts,
        counts.withRequests(9, 2),
        counts.withRequests(8, 3),
        counts.withMissHits(3),
        counts.withComparisons(8, 3),
        counts.withComparisons(7, 4));
  }

  private static List<Object> reports() {
    InstanceReport report = InstanceReport.of("one", "orders");
    return List.of(
        report,
        InstanceReport.of("two", "orders"),
        InstanceReport.of("one", "billing"),
        report.withLibrary("1.2"),
        report.withNewestPhase(Phase.NEW_ONLY),
        report.withUse("files", InstanceReport.Use.acknowledging(3)),
        report.withUse("files", InstanceReport.Use.acknowledging(4)));
  }

  private static List<Object> instances() {
    InstanceReport report = InstanceReport.of("one", "orders");
    InstanceReport.Use use = InstanceReport.Use.acknowledging(3);
    return List.of(
        Gate.Instance.of(report, use, END),
        Gate.Instance.of(report.withLibrary("1.2"), use, END),
        Gate.Instance.of(report, use.withCounts(SideCounts.NONE.withMissHits(1)), END),
        Gate.Instance.of(report, use, END.plusMillis(1)));
  }

  private static List<Object> limits() {
    Limits limits = Limits.defaults();
    return List.of(
        limits,
        limits.withMaxMainBytes(7),
        limits.withMaxClusteringBytes(7),
        limits.withMaxValueBytes(7),
        limits.withMaxInFlight(7),
        limits.withTimeout(Duration.ofMillis(7)),
        limits.withTombstoneLifetime(Duration.ofMillis(7)));
  }

  private static List<Object> skews() {
    return List.of(
        ClockSkew.of(Duration.ofMillis(2), Duration.ofMillis(1)),
        ClockSkew.of(Duration.ofMillis(3), Duration.ofMillis(1)),
        ClockSkew.of(Duration.ofMillis(2), Duration.ofMillis(2)));
  }

  private static List<Object> records() {
    GateRecord first = GateRecord.first();
    Gate.State fenced = Gate.State.first().withFence(Gate.Fence.of("one", 1, 2, END));
    GateRecord standing = GateRecord.of(fenced, null, List.of());
    return List.of(
        first,
        standing,
        GateRecord.of(Gate.State.first(), "one", List.of()),
        GateRecord.of(Gate.State.first(), null, List.of("one")));
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void equals_ofEachTwo_asksEachMember(Supplier<List<Object>> kind) {
    List<Object> values = kind.get();
    List<Object> again = kind.get();
    for (int i = 0; i < values.size(); i++) {
      for (int j = 0; j < again.size(); j++) {
        assertThat(values.get(i).equals(again.get(j)))
            .as("%s and %s", values.get(i), again.get(j))
            .isEqualTo(i == j);
      }
      assertThat(values.get(i)).isNotEqualTo("another").hasSameHashCodeAs(again.get(i));
    }
    assertThat(values.stream().map(Object::hashCode).distinct()).hasSizeGreaterThan(1);
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void toString_ofEach_isForPeople(Supplier<List<Object>> kind) {
    assertThat(kind.get())
        .allSatisfy(value -> assertThat(value.toString()).doesNotContain("dev.kvshift"));
  }
}
