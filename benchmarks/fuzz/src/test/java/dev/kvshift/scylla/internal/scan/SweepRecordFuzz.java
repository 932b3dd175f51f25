package dev.kvshift.scylla.internal.scan;

import dev.kvshift.api.Bytes;
import dev.kvshift.fuzz.FuzzTarget;
import java.util.List;

/** Records of the sweep for chunks. */
public final class SweepRecordFuzz implements FuzzTarget {
  @Override
  public List<byte[]> seeds() {
    return FuzzTarget.texts("1700000000000", "1700000000000 7");
  }

  @Override
  public void decode(byte[] input) {
    SweepRecord read = SweepRecord.parse(Bytes.of(input));
    FuzzTarget.requireSame(read, SweepRecord.parse(read.print()));
  }
}
