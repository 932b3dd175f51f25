package dev.kvshift.legacy.server.internal.storage;

import dev.kvshift.api.KvException;
import dev.kvshift.legacy.wire.Partitions;
import java.nio.file.Path;
import java.time.Clock;

/**
 * How a store is opened.
 *
 * @param directory where it lies; made where it is not there
 * @param partitions how many, fixed when the store is made
 * @param sync whether a write is on the disk before it is acknowledged
 * @param clock the leader's clock
 * @param space how much room the disk has
 * @param retention what is taken away, and when
 */
public record EngineOptions(
    Path directory,
    int partitions,
    boolean sync,
    Clock clock,
    DiskSpace space,
    Retention retention) {
  static final int DEFAULT_PARTITIONS = 64;

  public EngineOptions {
    if (partitions < 1 || partitions > Partitions.MAX_PARTITIONS) {
      throw new KvException.Permanent(
          partitions + " partitions: give 1 to " + Partitions.MAX_PARTITIONS);
    }
  }

  public static EngineOptions of(Path directory, int partitions) {
    return new EngineOptions(directory, partitions, true, Clock.systemUTC());
  }

  public EngineOptions(Path directory, int partitions, boolean sync, Clock clock) {
    this(directory, partitions, sync, clock, DiskSpace.of(directory), Retention.DEFAULT);
  }

  public EngineOptions with(DiskSpace newSpace) {
    return new EngineOptions(directory, partitions, sync, clock, newSpace, retention);
  }

  public EngineOptions with(Retention newRetention) {
    return new EngineOptions(directory, partitions, sync, clock, space, newRetention);
  }
}
