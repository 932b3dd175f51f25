package dev.kvshift.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The obstacles that keep an instance from following a collection, exact at their bounds. */
final class InstanceReportTest {
  private static final String NAME = "files";
  private static final Copy COPY = Copy.draw("log");
  private static final InstanceReport.Use READY =
      InstanceReport.Use.acknowledging(0).withCopy(COPY).withSkew(Duration.ofMillis(250));

  private static InstanceReport report(InstanceReport.Use use) {
    return InstanceReport.of("one", "orders")
        .withLibrary("1.2")
        .withNewestPhase(Phase.NEW_ONLY)
        .withUse(NAME, use);
  }

  private static @Nullable String obstacle(InstanceReport.Use use) {
    return report(use).obstacle(NAME, Phase.NEW_ONLY, COPY);
  }

  @Test
  void obstacle_readyInstance_isNone() {
    assertThat(obstacle(READY)).isNull();
  }

  @Test
  void obstacle_olderLibrary_isItsNewestPhase() {
    InstanceReport old = report(READY).withNewestPhase(Phase.DUAL_WRITE);
    assertThat(old.obstacle(NAME, Phase.DUAL_WRITE, COPY)).isNull();
    assertThat(old.obstacle(NAME, Phase.SHADOW_READ, COPY)).contains("1.2", "upgrade");
    assertThat(old.obstacle(NAME, Phase.NEW_ONLY, null)).contains("1.2", "upgrade");
  }

  @Test
  void obstacle_newSide_namesWhatIsWrong() {
    Copy other = Copy.draw("log");
    assertThat(obstacle(READY.withCopy(null))).contains("has not opened its new side");
    assertThat(obstacle(READY.withCopy(other))).contains(other.toString(), COPY.toString());
    assertThat(obstacle(READY.withProblem("no keyspace ks"))).isEqualTo("no keyspace ks");
    assertThat(obstacle(READY.withSkew(null))).contains("has not measured its clock");
    assertThat(obstacle(READY.withSkew(Duration.ofMillis(251)))).contains("251 ms");
    assertThat(obstacle(READY.withUncertainty(Duration.ofMillis(250)))).isNull();
    assertThat(obstacle(READY.withUncertainty(Duration.ofMillis(251)))).contains("within 251 ms");
  }

  @Test
  void obstacle_withoutAMigration_asksNothingOfTheNewSide() {
    InstanceReport report = report(READY.withProblem("no keyspace ks"));
    assertThat(report.obstacle(NAME, Phase.NEW_ONLY, null)).isNull();
    assertThat(report.obstacle(NAME, Phase.LEGACY, COPY)).isNull();
    assertThat(report.obstacle("other", Phase.NEW_ONLY, COPY)).isNull();
  }

  @Test
  void of_name_hasBounds() {
    assertThatThrownBy(() -> InstanceReport.of("", "orders"))
        .isInstanceOf(KvException.Permanent.class);
    assertThat(InstanceReport.of("x".repeat(256), "orders").instance()).hasSize(256);
    assertThatThrownBy(() -> InstanceReport.of("x".repeat(257), "orders"))
        .isInstanceOf(KvException.Permanent.class);
  }

  @Test
  void texts_tooLong_areClipped() {
    String text = "x".repeat(InstanceReport.MAX_TEXT_CHARS + 1);
    assertThat(InstanceReport.of("one", text).service()).hasSize(InstanceReport.MAX_TEXT_CHARS);
    assertThat(READY.withProblem(text).problem()).hasSize(InstanceReport.MAX_TEXT_CHARS);
  }

  @Test
  void withUse_collections_areLimited() {
    InstanceReport report = InstanceReport.of("one", "orders");
    for (int i = 0; i < InstanceReport.MAX_USES; i++) {
      report = report.withUse("c" + i, READY);
    }
    InstanceReport full = report;
    assertThat(full.withUse("c0", READY).uses()).hasSize(InstanceReport.MAX_USES);
    assertThatThrownBy(() -> full.withUse("another", READY))
        .isExactlyInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("more than 1000 collections");
  }

  @Test
  void report_eachMember_isReturned() {
    SideCounts counts = SideCounts.NONE.withRequests(9, 3);
    InstanceReport.Use use = READY.withLayout(Layout.point()).withCounts(counts);
    assertThat(use.layout()).isEqualTo(Layout.point());
    assertThat(use.counts()).isEqualTo(counts);
    assertThat(report(use).library()).isEqualTo("1.2");
    assertThat(report(use)).hasToString("orders one (1.2) {files=epoch 0, copy " + COPY + "}");
    assertThat(InstanceReport.of("one", "orders")).hasToString("orders one {}");
  }
}
