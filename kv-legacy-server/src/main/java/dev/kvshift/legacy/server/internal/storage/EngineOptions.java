package dev.kvshift.legacy.server.internal.storage;

import dev.kvshift.api.KvException;
import dev.kvshift.legacy.wire.Partitions;
import java.nio.file.Path;

/**
 * The options with which a store is opened.
 *
 * @param directory the folder of the store, which is created if it does not exist
 * @param partitions the number of partitions, fixed for the life of the store
 * @param sync whether a write is on the disk before it is acknowledged
 * @param time the clocks of the leader
 * @param space the space left on the disk
 * @param retention how long deletes and changes are kept
 */
public record EngineOptions(
    Path directory,
    int partitions,
    boolean sync,
    TimeSource time,
    DiskSpace space,
    Retention retention) {
  public EngineOptions {
    if (partitions < 1 || partitions > Partitions.MAX_PARTITIONS) {
      throw new KvException.Permanent(
          partitions + " partitions: give 1 to " + Partitions.MAX_PARTITIONS);
    }
  }

  /** Returns the options of a store that syncs its writes and uses the clocks of the machine. */
  public static EngineOptions of(Path directory, int partitions) {
    return new EngineOptions(
        directory, partitions, true, TimeSource.SYSTEM, DiskSpace.of(directory), Retention.DEFAULT);
  }

  public EngineOptions withSync(boolean newSync) {
    return new EngineOptions(directory, partitions, newSync, time, space, retention);
  }

  public EngineOptions with(TimeSource newTime) {
    return new EngineOptions(directory, partitions, sync, newTime, space, retention);
  }

  public EngineOptions with(DiskSpace newSpace) {
    return new EngineOptions(directory, partitions, sync, time, newSpace, retention);
  }

  public EngineOptions with(Retention newRetention) {
    return new EngineOptions(directory, partitions, sync, time, space, newRetention);
  }
}
