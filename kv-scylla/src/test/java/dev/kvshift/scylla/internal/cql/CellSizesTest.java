package dev.kvshift.scylla.internal.cql;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class CellSizesTest {
  private static final int LARGEST = 512 << 10;
  private static final int MIB = 1 << 20;

  private final CellSizes sizes = new CellSizes(LARGEST);

  @Test
  void rowsFor_nothingMet_fitsTheLargestRows() {
    assertThat(sizes.rowsFor(MIB)).isEqualTo(3);
    assertThat(sizes.rowsFor(1)).isEqualTo(1);
    assertThat(sizes.rowsFor(-5)).isEqualTo(1);
    assertThat(sizes.expected(10)).isZero();
  }

  @Test
  void rowsFor_smallRowsMet_growsWithTheirNumber() {
    sizes.note(100);
    assertThat(sizes.rowsFor(MIB)).isEqualTo(8);
    sizes.note(100);
    assertThat(sizes.rowsFor(MIB)).isEqualTo(16);
    note(998, 100);
    assertThat(sizes.rowsFor(MIB)).isEqualTo(8_000);
    assertThat(sizes.rowsFor(1_000)).isEqualTo(11);
    assertThat(sizes.expected(10)).isEqualTo(1_000);
  }

  @Test
  void rowsFor_aLargeRowAmongSmallOnes_shrinksAtOnceAndRecoversSlowly() {
    note(10_000, 100);
    sizes.note(LARGEST);
    assertThat(sizes.rowsFor(MIB)).isEqualTo(3);
    note(10, 100);
    assertThat(sizes.rowsFor(MIB)).isEqualTo(3);
    note(2_000, 100);
    assertThat(sizes.rowsFor(MIB)).isGreaterThan(5_000);
  }

  private void note(int rows, int bytes) {
    for (int i = 0; i < rows; i++) {
      sizes.note(bytes);
    }
  }
}
