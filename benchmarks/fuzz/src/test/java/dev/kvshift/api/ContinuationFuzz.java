package dev.kvshift.api;

import dev.kvshift.fuzz.FuzzTarget;
import java.util.List;

/** Continuations that callers hand back. */
public final class ContinuationFuzz implements FuzzTarget {
  @Override
  public List<byte[]> seeds() {
    Continuation printed =
        Continuation.of("c", Bytes.utf8("m"), Range.Direction.BACKWARD, Bytes.utf8("last"));
    return FuzzTarget.texts(printed.print());
  }

  @Override
  public void decode(byte[] input) {
    Continuation read = Continuation.parse(FuzzTarget.text(input));
    FuzzTarget.requireSame(FuzzTarget.text(input), read.print());
  }
}
