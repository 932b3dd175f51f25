package dev.kvshift.migrate.internal.task;

import dev.kvshift.migrate.internal.ledger.Machine;
import java.time.Duration;
import java.util.UUID;
import java.util.function.LongSupplier;

/**
 * A process that takes tasks.
 *
 * @param name a name that no other process has, nor the next one on this machine
 * @param lease how long a task stays this process's own after a renewal
 * @param nanoTime the monotonic clock
 */
public record Holder(String name, Duration lease, LongSupplier nanoTime) {
  /** The lease of runs that were given none. */
  public static final Duration DEFAULT_LEASE = Duration.ofSeconds(10);

  private static final int SUFFIX_CHARS = 8;

  /** Returns this process, under a name that tells people where it runs. */
  public static Holder ofProcess(Duration lease) {
    String name =
        Machine.name()
            + "-"
            + ProcessHandle.current().pid()
            + "-"
            + UUID.randomUUID().toString().substring(0, SUFFIX_CHARS);
    return new Holder(name, lease, System::nanoTime);
  }
}
