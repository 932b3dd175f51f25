package dev.kvshift.api;

import dev.kvshift.fuzz.FuzzTarget;
import java.util.List;

/** Layouts with their shard rules. */
public final class LayoutFuzz implements FuzzTarget {
  @Override
  public List<byte[]> seeds() {
    return FuzzTarget.texts("point;shard=none;encoding=0", "range;shard=bits=8;encoding=1");
  }

  @Override
  public void decode(byte[] input) {
    Layout read = Layout.parse(FuzzTarget.text(input));
    FuzzTarget.requireSame(read, Layout.parse(read.toString()));
  }
}
