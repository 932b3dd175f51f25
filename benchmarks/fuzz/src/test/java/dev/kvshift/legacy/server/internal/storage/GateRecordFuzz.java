package dev.kvshift.legacy.server.internal.storage;

import dev.kvshift.fuzz.FuzzTarget;
import dev.kvshift.spi.GateRecord;
import java.io.UncheckedIOException;
import java.time.DateTimeException;
import java.util.List;

/** Stored gates. */
public final class GateRecordFuzz implements FuzzTarget {
  @Override
  public List<byte[]> seeds() {
    return List.of(Records.gate(GateRecord.first()));
  }

  @Override
  public void decode(byte[] input) {
    try {
      GateRecord read = Records.gate(input);
      FuzzTarget.requireSame(read, Records.gate(Records.gate(read)));
    } catch (UncheckedIOException | DateTimeException refused) {
      // The file is damaged, and the store is not opened.
    }
  }
}
