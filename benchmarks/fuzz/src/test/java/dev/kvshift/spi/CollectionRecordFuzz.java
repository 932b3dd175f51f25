package dev.kvshift.spi;

import dev.kvshift.api.Bytes;
import dev.kvshift.fuzz.FuzzTarget;
import java.util.List;

/** Records of collections in the metadata of a store. */
public final class CollectionRecordFuzz implements FuzzTarget {
  @Override
  public List<byte[]> seeds() {
    return FuzzTarget.texts(
        "v1 active floor=0 incarnation=1 range;shard=none;encoding=1",
        "v1 importing floor=12 incarnation=2 copy="
            + "0123456789abcdef0123456789abcdef@source readable=1 new=7 point;shard=none;encoding=0");
  }

  @Override
  public void decode(byte[] input) {
    CollectionRecord read = CollectionRecord.parse("c", Bytes.of(input));
    Bytes printed = read.print();
    FuzzTarget.requireSame(printed, CollectionRecord.parse("c", printed).print());
  }
}
