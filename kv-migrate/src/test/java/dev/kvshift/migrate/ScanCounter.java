package dev.kvshift.migrate;

import dev.kvshift.spi.ScanPage;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** Counts the live rows that scans return, and the keys that are read one by one. */
final class ScanCounter implements Intercepted.Fault {
  private final AtomicLong scanned = new AtomicLong();
  private final AtomicInteger reads = new AtomicInteger();

  @Override
  public CompletionStage<?> around(
      Class<?> type, String method, Object[] arguments, Intercepted.Request request) {
    if (method.equals("get")) {
      reads.incrementAndGet();
    }
    return request
        .send()
        .thenApply(
            answer -> {
              if (answer instanceof ScanPage page) {
                scanned.addAndGet(page.rows().stream().filter(row -> !row.isTombstone()).count());
              }
              return answer;
            });
  }

  /** Returns the number of live rows that scans have returned since the last call. */
  long takeScanned() {
    return scanned.getAndSet(0);
  }

  /** Returns the number of single reads since the last call. */
  int takeReads() {
    return reads.getAndSet(0);
  }
}
