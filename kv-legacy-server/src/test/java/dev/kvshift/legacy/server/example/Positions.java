package dev.kvshift.legacy.server.example;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;

/** A durable map from every thousandth position to its offset in the old log. */
final class Positions {
  private static final int RECORD_BYTES = 2 * Long.BYTES;

  private final ConcurrentSkipListMap<Long, Long> offsets = new ConcurrentSkipListMap<>();
  private final Path file;

  Positions(Path file, long firstOffset) {
    this.file = file;
    try {
      ByteBuffer stored =
          ByteBuffer.wrap(Files.exists(file) ? Files.readAllBytes(file) : new byte[0]);
      while (stored.remaining() >= RECORD_BYTES) {
        offsets.put(stored.getLong(), stored.getLong());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    if (offsets.isEmpty()) {
      add(0, firstOffset);
    }
  }

  /** Returns the nearest known position at or below the one that is looked for. */
  Map.Entry<Long, Long> below(long position) {
    return offsets.floorEntry(position);
  }

  /** Adds a position, which is on the disk before any later one is returned. */
  synchronized void add(long position, long offset) {
    if (!offsets.isEmpty() && offsets.lastKey() >= position) {
      return;
    }
    ByteBuffer record = ByteBuffer.allocate(RECORD_BYTES).putLong(position).putLong(offset).flip();
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
      channel.write(record);
      channel.force(true);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    offsets.put(position, offset);
  }
}
