package dev.kvshift.migrate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.StoreCollection;
import org.junit.jupiter.api.Test;

final class MigrationTest {
  private static final long SEED = Long.getLong("kvshift.seed", 42);

  @Test
  void run_underLiveWriter_movesEverything() {
    try (Sides sides = new Sides()) {
      sides.fill(5_000);
      Await.of(sides.target.open(Sides.COLLECTION, Sides.LAYOUT, Claim.IMPORTING));
      StoreCollection to = sides.to();
      MigrationResult result;
      try (LiveWriter writer = new LiveWriter(sides.from, to, 3, SEED);
          Migration migration = Migration.of(sides.plan(), Progress.NONE)) {
        result = migration.run();
        while (writer.writesAfter() < 500) {
          Thread.onSpinWait();
        }
        writer.assertHolds(to);
        System.err.println(
            result
                + " longest write "
                + writer.longestMillis()
                + " ms, seed "
                + SEED
                + " before "
                + writer.writesBefore());
        assertThat(writer.longestMillis()).isLessThan(1_000);
      }
      assertThat(result.verify().differences()).isZero();
      assertThat(result.copy().residue()).isZero();
      assertThat(result.copy().read()).isGreaterThanOrEqualTo(5_000);
      CollectionRecord record =
          Await.of(CollectionRecord.read(sides.target.metadata(), Sides.COLLECTION));
      assertThat(record.state()).isEqualTo(CollectionRecord.State.ACTIVE);
      assertThat(record.floor()).isEqualTo(result.cutover().floor());
    }
  }
}
