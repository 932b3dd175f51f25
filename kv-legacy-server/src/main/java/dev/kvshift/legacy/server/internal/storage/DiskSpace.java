package dev.kvshift.legacy.server.internal.storage;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * The space left on the disk, read at most every {@link #INTERVAL}. Writes are refused while less
 * than {@link #RESERVE_BYTES} are left, so that gates, fences and compactions keep working.
 *
 * <p>Confined to the commit pipeline.
 */
public final class DiskSpace {
  public static final long RESERVE_BYTES = 64L << 20;
  static final Duration INTERVAL = Duration.ofMillis(200);

  private final LongSupplier freeBytes;
  private long lookedNanos;
  private long free;
  private boolean looked;

  public DiskSpace(LongSupplier freeBytes) {
    this.freeBytes = freeBytes;
  }

  static DiskSpace of(Path directory) {
    return new DiskSpace(
        () -> {
          try {
            return Files.getFileStore(directory).getUsableSpace();
          } catch (IOException e) {
            return Long.MAX_VALUE;
          }
        });
  }

  public boolean isShort() {
    long now = System.nanoTime();
    if (!looked || now - lookedNanos > INTERVAL.toNanos()) {
      free = freeBytes.getAsLong();
      lookedNanos = now;
      looked = true;
    }
    return free < RESERVE_BYTES;
  }
}
