package dev.kvshift.testkit.meter;

import dev.kvshift.spi.Store;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Counts the requests that a driver sends to its server, at the point where they leave the driver.
 * The kit uses it to assert the cost of an operation.
 *
 * <p>Records nothing unless an operation is being measured; only one can be at a time. Safe for use
 * by many threads.
 */
public final class Meter {
  private @Nullable Set<String> partitions;
  private int roundTrips;
  private long bytes;

  /** Creates a meter that has recorded nothing. */
  public Meter() {}

  /**
   * The cost of an operation.
   *
   * @param roundTrips number of requests
   * @param partitions number of distinct partitions that the requests named
   * @param bytes bytes sent and received
   */
  public record Cost(int roundTrips, int partitions, long bytes) {}

  /**
   * Records a request for data before it is sent.
   *
   * @param partition a unique name of the partition that the server reads or writes
   * @param requestBytes size of the request, at least that of key and value
   */
  public synchronized void sent(String partition, long requestBytes) {
    if (partitions != null) {
      partitions.add(partition);
      roundTrips++;
      bytes += requestBytes;
    }
  }

  /**
   * Records an answer before the driver's caller receives it.
   *
   * @param answerBytes size of the answer, at least that of the rows
   */
  public synchronized void answered(long answerBytes) {
    if (partitions != null) {
      bytes += answerBytes;
    }
  }

  /**
   * Returns a store that records each request and forwards it. For databases in the same process;
   * goes directly in front of the driver, below any other wrapper.
   */
  public Store around(Store store) {
    return new MeteredStore(store, this);
  }

  /** Runs an operation and returns its cost up to the moment it returns. */
  public Cost of(Runnable operation) {
    begin();
    try {
      operation.run();
      return cost();
    } finally {
      end();
    }
  }

  private synchronized void begin() {
    partitions = new HashSet<>();
    roundTrips = 0;
    bytes = 0;
  }

  private synchronized Cost cost() {
    return new Cost(roundTrips, partitions == null ? 0 : partitions.size(), bytes);
  }

  private synchronized void end() {
    partitions = null;
  }
}
