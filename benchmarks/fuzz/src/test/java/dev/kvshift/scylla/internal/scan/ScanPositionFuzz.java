package dev.kvshift.scylla.internal.scan;

import dev.kvshift.api.Bytes;
import dev.kvshift.fuzz.FuzzTarget;
import java.util.List;

/** Positions of scans. */
public final class ScanPositionFuzz implements FuzzTarget {
  @Override
  public List<byte[]> seeds() {
    ScanPosition.Partition partition = new ScanPosition.Partition(Bytes.utf8("m"), Bytes.utf8("s"));
    return List.of(
        new ScanPosition.Behind(7).print().toByteArray(),
        new ScanPosition.Inside(7, partition, Bytes.utf8("c")).print().toByteArray(),
        new ScanPosition.Across(7, null, Bytes.utf8("c")).print().toByteArray(),
        new ScanPosition.Across(7, partition, Bytes.utf8("c")).print().toByteArray());
  }

  @Override
  public void decode(byte[] input) {
    ScanPosition read = ScanPosition.parse(Bytes.of(input));
    FuzzTarget.requireSame(read, ScanPosition.parse(read.print()));
  }
}
