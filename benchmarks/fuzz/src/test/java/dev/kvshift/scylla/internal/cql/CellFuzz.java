package dev.kvshift.scylla.internal.cql;

import dev.kvshift.api.Bytes;
import dev.kvshift.fuzz.FuzzTarget;
import dev.kvshift.spi.StoreKey;
import java.nio.ByteBuffer;
import java.util.List;

/** Cells and the owners of chunks. */
public final class CellFuzz implements FuzzTarget {
  @Override
  public List<byte[]> seeds() {
    StoreKey key = StoreKey.of(Bytes.utf8("m"), Bytes.utf8("c"));
    ByteBuffer whole = Cell.whole(Bytes.utf8("v"), null);
    ByteBuffer chunked = Cell.chunked(ChunkHead.of(key, 7, Bytes.utf8("value"), 2), null);
    return List.of(Bytes.of(whole).toByteArray(), Bytes.of(chunked).toByteArray());
  }

  @Override
  public void decode(byte[] input) {
    StoreKey key = StoreKey.of(Bytes.utf8("m"), Bytes.utf8("c"));
    Cell.read("c", key, 7, ByteBuffer.wrap(input)).size();
    if (Cell.isWhole(ByteBuffer.wrap(input))) {
      Cell.row(key, 7, ByteBuffer.wrap(input));
    }
  }
}
