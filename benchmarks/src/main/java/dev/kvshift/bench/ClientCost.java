package dev.kvshift.bench;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;

/**
 * What the Java threads of this process, those of {@link ReplayProxy} left out, have used so far.
 * Compilers and collectors are no Java threads, and are left out as well.
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
      if (info == null || info.getThreadName().startsWith(ReplayProxy.THREADS)) {
        continue;
      }
      nanos += Math.max(0, cpu[i]);
      bytes += Math.max(0, allocated[i]);
    }
    return new ClientCost(nanos, bytes);
  }

  double nanosSince(ClientCost before, int operations) {
    return (double) (cpuNanos - before.cpuNanos) / operations;
  }

  double bytesSince(ClientCost before, int operations) {
    return (double) (allocatedBytes - before.allocatedBytes) / operations;
  }
}
