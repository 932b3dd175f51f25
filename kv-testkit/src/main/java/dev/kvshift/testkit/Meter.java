package dev.kvshift.testkit;

import dev.kvshift.spi.Store;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a fixture's drivers ask of their server, noted where requests leave the driver. The kit
 * asserts from it what an operation may cost.
 *
 * <p>Notes nothing except while the kit measures, one operation at a time. Safe for use by many
 * threads.
 */
public final class Meter {
  private @Nullable Set<String> partitions;
  private int roundTrips;
  private long bytes;

  /** Makes a meter that no driver notes anything on yet. */
  public Meter() {}

  /**
   * What an operation cost.
   *
   * @param roundTrips requests with their answers
   * @param partitions distinct ones that the requests named
   * @param bytes sent and received
   */
  record Cost(int roundTrips, int partitions, long bytes) {}

  /**
   * Notes a request for data, before it is sent.
   *
   * @param partition a name for what the server finds in one place; no other place has it
   * @param requestBytes at least those of key and value
   */
  public synchronized void sent(String partition, long requestBytes) {
    if (partitions != null) {
      partitions.add(partition);
      roundTrips++;
      bytes += requestBytes;
    }
  }

  /**
   * Notes an answer, before the driver's caller has it.
   *
   * @param answerBytes at least those of the rows
   */
  public synchronized void answered(long answerBytes) {
    if (partitions != null) {
      bytes += answerBytes;
    }
  }

  /**
   * Returns a store that is another one and notes each request: for a database that is called in
   * the same process, below whatever else the fixture puts around it.
   */
  public Store around(Store store) {
    return new MeteredStore(store, this);
  }

  /** Runs an operation and returns what it has cost by the time it ends. */
  Cost of(Runnable operation) {
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
