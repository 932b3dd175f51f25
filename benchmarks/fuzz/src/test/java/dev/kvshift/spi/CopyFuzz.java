package dev.kvshift.spi;

import dev.kvshift.fuzz.FuzzTarget;
import java.util.List;

/** Identities of copies. */
public final class CopyFuzz implements FuzzTarget {
  @Override
  public List<byte[]> seeds() {
    return FuzzTarget.texts("0123456789abcdef0123456789abcdef@legacy/files");
  }

  @Override
  public void decode(byte[] input) {
    Copy read = Copy.parse(FuzzTarget.text(input));
    FuzzTarget.requireSame(read, Copy.parse(read.toString()));
  }
}
