package dev.kvshift.migrate.internal.apply;

import dev.kvshift.fuzz.FuzzTarget;
import java.util.List;

/** Notes at committed offsets. */
public final class CommitNoteFuzz implements FuzzTarget {
  @Override
  public List<byte[]> seeds() {
    return FuzzTarget.texts("", "12 - 0", "12 attempt 3", "12 attempt 3 7 2 19");
  }

  @Override
  public void decode(byte[] input) {
    CommitNote read = CommitNote.parse(FuzzTarget.text(input), 0);
    FuzzTarget.requireSame(read, CommitNote.parse(read.print(), 0));
  }
}
