package dev.kvshift.legacy.server.internal.storage;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.DBOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteBatch;

/** Tests that a batch equals RocksDB's own, byte for byte. */
class WriteBatchBuilderTest {
  /** Around the sizes at which a length takes one byte more. */
  private static final int[] LENGTHS = {0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152};

  @TempDir Path directory;
  private final long seed = System.nanoTime();
  private final Random random = new Random(seed);
  private final List<ColumnFamilyHandle> families = new ArrayList<>();
  private DBOptions options;
  private RocksDB rocks;

  @BeforeEach
  void open() throws RocksDBException {
    RocksDB.loadLibrary();
    options = new DBOptions().setCreateIfMissing(true).setCreateMissingColumnFamilies(true);
    rocks =
        RocksDB.open(
            options,
            directory.toString(),
            List.of(
                new ColumnFamilyDescriptor(RocksDB.DEFAULT_COLUMN_FAMILY),
                new ColumnFamilyDescriptor(Database.utf8("one")),
                new ColumnFamilyDescriptor(Database.utf8("two"))),
            families);
  }

  @AfterEach
  void close() {
    families.forEach(ColumnFamilyHandle::close);
    rocks.close();
    options.close();
  }

  private byte[] bytes(int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  private void addAll(WriteBatchBuilder batch, WriteBatch theirs) throws RocksDBException {
    for (ColumnFamilyHandle family : families) {
      for (int length : LENGTHS) {
        byte[] first = bytes(length);
        byte[] second = bytes(LENGTHS[random.nextInt(LENGTHS.length)]);
        batch.put(family.getID(), first, second);
        theirs.put(family, first, second);
        batch.delete(family.getID(), second);
        theirs.delete(family, second);
        batch.deleteRange(family.getID(), first, second);
        theirs.deleteRange(family, first, second);
      }
    }
  }

  private void assertSame(WriteBatchBuilder batch, WriteBatch theirs) throws RocksDBException {
    try (WriteBatch ours = batch.toWriteBatch()) {
      assertThat(ours.count()).as("seed %d", seed).isEqualTo(theirs.count());
      assertThat(ours.data()).as("seed %d", seed).isEqualTo(theirs.data());
    }
  }

  @Test
  void batch_ofAllChangesAndLengths_isRocksDbsOwn() throws RocksDBException {
    WriteBatchBuilder batch = new WriteBatchBuilder();
    try (WriteBatch theirs = new WriteBatch()) {
      assertThat(batch.isEmpty()).isTrue();
      addAll(batch, theirs);
      assertThat(batch.isEmpty()).isFalse();
      assertSame(batch, theirs);
    }
  }

  @Test
  void clear_afterChanges_leavesNothingOfThem() throws RocksDBException {
    WriteBatchBuilder batch = new WriteBatchBuilder();
    try (WriteBatch before = new WriteBatch();
        WriteBatch theirs = new WriteBatch()) {
      addAll(batch, before);
      batch.clear();
      assertThat(batch.isEmpty()).isTrue();
      assertSame(batch, theirs);
      batch.put(0, new byte[] {1}, new byte[] {2});
      theirs.put(new byte[] {1}, new byte[] {2});
      assertSame(batch, theirs);
    }
  }
}
