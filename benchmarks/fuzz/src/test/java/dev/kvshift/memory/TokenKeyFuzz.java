package dev.kvshift.memory;

import dev.kvshift.api.Bytes;
import dev.kvshift.fuzz.FuzzTarget;
import dev.kvshift.spi.StoreKey;
import java.util.List;

/** Scan positions of the in-memory store. */
public final class TokenKeyFuzz implements FuzzTarget {
  @Override
  public List<byte[]> seeds() {
    return List.of(
        TokenKey.of(StoreKey.of(Bytes.utf8("m"), Bytes.utf8("s"), Bytes.utf8("c")))
            .print()
            .toByteArray());
  }

  @Override
  public void decode(byte[] input) {
    TokenKey read = TokenKey.parse(Bytes.of(input));
    FuzzTarget.requireSame(read, TokenKey.parse(read.print()));
  }
}
