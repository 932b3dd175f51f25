package dev.kvshift.migrate.internal.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class RowSketchTest {
  private static final long SEED = 20_261_128;
  private static final int BITS = 10;

  private final Random random = new Random(SEED);
  private final RowSketch sketch = new RowSketch(BITS);

  @Test
  void takeDifferences_sameRowsInAnyOrder_areNone() {
    List<RowDigest> rows = rows(100_000);
    rows.forEach(sketch::add);
    Collections.shuffle(rows, random);
    rows.forEach(sketch::subtract);

    assertThat(sketch.takeDifferences()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 100, 1_000, 2_304})
  void takeDifferences_upToItsCapacity_areNamed(int differences) {
    assertThat(sketch.capacity()).isEqualTo(2_304);
    List<RowDigest> common = rows(50_000);
    List<RowDigest> source = rows(differences / 2);
    List<RowDigest> target = rows(differences - differences / 2);
    common.forEach(sketch::add);
    source.forEach(sketch::add);
    target.forEach(sketch::subtract);
    common.forEach(sketch::subtract);

    List<RowDigest> expected = new ArrayList<>(source);
    expected.addAll(target);
    assertThat(sketch.takeDifferences()).containsExactlyInAnyOrderElementsOf(expected);
    assertThat(sketch.takeDifferences()).as("taken out").isEmpty();
  }

  @Test
  void takeDifferences_keyWithAnotherContent_isThereTwice() {
    RowDigest before = new RowDigest(7, 8, RowDigest.NO_EXPIRY);
    RowDigest after = new RowDigest(7, 9, RowDigest.NO_EXPIRY);
    sketch.add(before);
    sketch.subtract(after);

    assertThat(sketch.takeDifferences()).containsExactlyInAnyOrder(before, after);
  }

  @Test
  void takeDifferences_sameHashesUnderAnotherExpiry_areNotTakenForEqual() {
    RowDigest one = new RowDigest(7, 8, 1_000);
    RowDigest other = new RowDigest(7, 8, 2_000);
    sketch.add(one);
    sketch.subtract(other);

    assertThat(sketch.takeDifferences()).isNull();
  }

  @Test
  void takeDifferences_tooMany_areNotTakenForNone() {
    rows(4_000).forEach(sketch::add);

    assertThat(sketch.takeDifferences()).isNull();
  }

  @Test
  void takeDifferences_rowScannedTwice_isNotTakenForEqual() {
    RowDigest row = new RowDigest(7, 8, RowDigest.NO_EXPIRY);
    sketch.add(row);
    sketch.add(row);

    assertThat(sketch.takeDifferences()).isNull();
  }

  @Test
  void read_sketchThatWasWritten_goesOnWhereItWas() throws IOException {
    List<RowDigest> common = rows(1_000);
    List<RowDigest> missing = rows(10);
    common.forEach(sketch::add);
    missing.forEach(sketch::add);

    RowSketch again = RowSketch.read(new DataInputStream(new ByteArrayInputStream(bytes(sketch))));

    common.forEach(again::subtract);
    assertThat(again.takeDifferences()).containsExactlyInAnyOrderElementsOf(missing);
  }

  @Test
  void write_isWhatAnEarlierRunnerWrote_soThatAPassCanBeResumed() throws IOException {
    RowSketch small = new RowSketch(3);
    rows(100).forEach(small::add);
    CRC32 sum = new CRC32();
    sum.update(bytes(small));

    assertThat(sum.getValue()).isEqualTo(1_879_313_839L);
    assertThat(bytes(new RowSketch(0))).hasSize(Integer.BYTES + 12 * Long.BYTES);
  }

  @Test
  void read_sizeThatNoSketchHas_isRefused() throws IOException {
    RowSketch least = new RowSketch(0);
    assertThat(RowSketch.read(new DataInputStream(new ByteArrayInputStream(bytes(least)))))
        .isNotNull();
    for (byte[] size : new byte[][] {{-1, -1, -1, -1}, {0, 0, 0, 25}}) {
      assertThatThrownBy(() -> RowSketch.read(new DataInputStream(new ByteArrayInputStream(size))))
          .isExactlyInstanceOf(IOException.class)
          .hasMessageStartingWith("a sketch of 2^");
    }
  }

  private static byte[] bytes(RowSketch sketch) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    sketch.write(new DataOutputStream(bytes));
    return bytes.toByteArray();
  }

  private List<RowDigest> rows(int count) {
    List<RowDigest> rows = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      rows.add(
          new RowDigest(
              random.nextLong(),
              random.nextLong(),
              i % 2 == 0 ? RowDigest.NO_EXPIRY : random.nextInt()));
    }
    return rows;
  }
}
