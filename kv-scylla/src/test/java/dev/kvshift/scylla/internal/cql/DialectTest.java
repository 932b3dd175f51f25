package dev.kvshift.scylla.internal.cql;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class DialectTest {
  private static final String OPEN_5 = "CDC,LWT,TOMBSTONE_GC_OPTIONS";
  private static final String OPEN_6 = OPEN_5 + ",TABLETS";
  private static final String YEAR_2025_4 = "LWT_WITH_TABLETS," + OPEN_6;

  @Test
  void scylla_generations_differWhereTheyMust() {
    Dialect oldest = Dialect.scylla(List.of("CDC,LWT"));
    assertThat(oldest.hasTablets()).isFalse();
    assertThat(oldest.keyspaceOptions()).isEmpty();
    Dialect open5 = Dialect.scylla(List.of(OPEN_5));
    assertThat(open5.hasTablets()).isFalse();
    assertThat(open5.keyspaceOptions()).isEmpty();
    Dialect open6 = Dialect.scylla(List.of(OPEN_6));
    assertThat(open6.hasTablets()).isTrue();
    assertThat(open6.hasConditionsOnTablets()).isFalse();
    assertThat(open6.keyspaceOptions()).isEqualTo(" AND tablets = {'enabled': false}");
    Dialect newest = Dialect.scylla(List.of(YEAR_2025_4, YEAR_2025_4));
    assertThat(newest.hasConditionsOnTablets()).isTrue();
    assertThat(newest.isGettingConditionsOnTablets()).isFalse();
    assertThat(newest.keyspaceOptions()).isEmpty();
    assertThat(newest)
        .hasToString("ScyllaDB (features TOMBSTONE_GC_OPTIONS, TABLETS, LWT_WITH_TABLETS)");
  }

  @Test
  void scylla_oneNodeUpgraded_hasTheFeatureOnlyOnceAllHave() {
    Dialect half = Dialect.scylla(List.of(YEAR_2025_4, OPEN_6));
    assertThat(half.hasConditionsOnTablets()).isFalse();
    assertThat(half.isGettingConditionsOnTablets()).isTrue();
    assertThat(half.hasTablets()).isTrue();
    assertThat(Dialect.scylla(List.of(OPEN_6, OPEN_5)).hasTablets())
        .as("so that a keyspace is created without them")
        .isTrue();
  }

  @Test
  void tableOptions_everyUse_keepsTombstonesAsLongAsItNeedsThem() {
    Dialect newest = Dialect.scylla(List.of(YEAR_2025_4));
    assertThat(newest.tableOptions(Tombstones.IMPORTING))
        .endsWith(" AND tombstone_gc = {'mode': 'disabled'}");
    assertThat(newest.tableOptions(Tombstones.ONE_COPY))
        .endsWith("gc_grace_seconds = 864000 AND tombstone_gc = {'mode': 'timeout'}");
    assertThat(newest.tableOptions(Tombstones.SEVERAL_COPIES)).doesNotContain("tombstone_gc");
    for (Dialect other : List.of(Dialect.scylla(List.of("CDC")), Dialect.cassandra("5.0.9"))) {
      assertThat(other.tableOptions(Tombstones.IMPORTING)).endsWith("gc_grace_seconds = 7776000");
      assertThat(other.tableOptions(Tombstones.ONE_COPY)).endsWith("gc_grace_seconds = 864000");
      assertThat(other.tableOptions(Tombstones.SEVERAL_COPIES))
          .endsWith("gc_grace_seconds = 864000");
    }
  }

  @Test
  void importTombstones_whereTheyCannotBeKeptForEver_areKeptFor90Days() {
    assertThat(Dialect.scylla(List.of(OPEN_5)).importTombstones()).isEmpty();
    assertThat(Dialect.scylla(List.of(OPEN_5, "CDC")).importTombstones())
        .as("one node would collect them")
        .contains(Duration.ofDays(90));
    assertThat(Dialect.cassandra("5.0.9").importTombstones()).contains(Duration.ofDays(90));
  }

  @Test
  void tombstoneOptions_everyUse_undoesTheImport() {
    Dialect newest = Dialect.scylla(List.of(YEAR_2025_4));
    assertThat(newest.tombstoneOptions(Tombstones.IMPORTING))
        .isEqualTo("tombstone_gc = {'mode': 'disabled'}");
    assertThat(newest.tombstoneOptions(Tombstones.ONE_COPY))
        .isEqualTo("tombstone_gc = {'mode': 'timeout'}");
    assertThat(newest.tombstoneOptions(Tombstones.SEVERAL_COPIES))
        .isEqualTo("tombstone_gc = {'mode': 'repair'}");
    Dialect cassandra = Dialect.cassandra("5.0.9");
    assertThat(cassandra.tombstoneOptions(Tombstones.IMPORTING))
        .isEqualTo("gc_grace_seconds = 7776000");
    assertThat(cassandra.tombstoneOptions(Tombstones.ONE_COPY))
        .isEqualTo("gc_grace_seconds = 864000");
  }

  /** ScyllaDB stores the option as strings with their lengths in front. */
  @Test
  void keepsTombstones_optionsOfATable_areThoseOfAnImport() {
    Dialect newest = Dialect.scylla(List.of(YEAR_2025_4));
    assertThat(newest.keepsTombstones(0, mode("disabled"))).isTrue();
    assertThat(newest.keepsTombstones(7_776_000, mode("timeout"))).isFalse();
    assertThat(newest.keepsTombstones(7_776_000, Map.of())).isFalse();
    for (Dialect other : List.of(Dialect.scylla(List.of("CDC")), Dialect.cassandra("5.0.9"))) {
      assertThat(other.keepsTombstones(7_776_000, Map.of())).isTrue();
      assertThat(other.keepsTombstones(7_775_999, Map.of())).isFalse();
    }
  }

  private static Map<String, ByteBuffer> mode(String mode) {
    return Map.of(
        "tombstone_gc",
        ByteBuffer.wrap(
            ("\1\0\0\0\4\0\0\0mode\7\0\0\0" + mode).getBytes(StandardCharsets.ISO_8859_1)));
  }
}
