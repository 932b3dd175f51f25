package dev.kvshift.bench.scylla;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;

/**
 * The processor time and allocation of this process's Java threads so far, without those of {@link
 * ReplayProxy}. Compilers and collectors are not Java threads, so they do not count either.
 */
record ClientCost(long cpuNanos, long allocatedBytes) {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  static ClientCost now() {
    long[] ids = THREADS.getAllThreadIds();
    ThreadInfo[] infos = THREADS.getThreadInfo(ids);
    long[] cpu = THREADS.getThreadCpuTime(ids);
    long[] allocated = THREADS.getThreadAllocatedBytes(ids);
    long nanos = 0;
    long bytes = 0;
    for (int i = 0; i < ids.length; i++) {
      ThreadInfo info = infos[i];
      if (info == null || info.getThreadName().startsWith(ReplayProxy.THREAD_PREFIX)) {
        continue;
      }
      // A thread that has just ended reports −1.
      nanos += Math.max(0, cpu[i]);
      bytes += Math.max(0, allocated[i]);
    }
    return new ClientCost(nanos, bytes);
  }

  /** Returns the processor time that each of some operations has taken. */
  double nanosPerOperation(ClientCost before, int operations) {
    return (double) (cpuNanos - before.cpuNanos) / operations;
  }

  /** Returns the bytes that each of some operations has allocated. */
  double bytesPerOperation(ClientCost before, int operations) {
    return (double) (allocatedBytes - before.allocatedBytes) / operations;
  }
}
