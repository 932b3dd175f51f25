package dev.kvshift.api;

import dev.kvshift.fuzz.FuzzTarget;
import java.util.List;

/** Connection strings. */
public final class ConnectionStringFuzz implements FuzzTarget {
  @Override
  public List<byte[]> seeds() {
    return FuzzTarget.texts(
        "memory://test",
        "legacy://u:env:PW@h1:1,[::1]:2/p?timeout=10s&token=file:T",
        "transition://?old=legacy%3A%2F%2Fh%3A1&new=scylla%3A%2F%2Fh%2Fk&access=read");
  }

  @Override
  public void decode(byte[] input) {
    ConnectionString.parse(FuzzTarget.text(input));
  }
}
