package dev.kvshift.legacy.wire;

import com.google.protobuf.ByteString;
import dev.kvshift.api.Bytes;
import dev.kvshift.fuzz.FuzzTarget;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import java.time.Instant;
import java.util.List;

/** Blocks of rows. */
public final class RowBlockFuzz implements FuzzTarget {
  @Override
  public List<byte[]> seeds() {
    StoreKey key = StoreKey.of(Bytes.utf8("m"), Bytes.utf8("c"));
    return List.of(
        RowBlock.of(
                List.of(
                    Row.of(key, 7, Bytes.utf8("v"), Instant.ofEpochMilli(9)),
                    Row.tombstone(key, 8),
                    Row.of(key, 9, Bytes.of(new byte[200]), null)))
            .toByteArray());
  }

  @Override
  public void decode(byte[] input) {
    List<Row> rows = RowBlock.read(ByteString.copyFrom(input));
    FuzzTarget.requireSame(rows, RowBlock.read(RowBlock.of(rows)));
    RowBlock.read(ByteString.copyFrom(input), Bytes.utf8("m"));
  }
}
