package dev.kvshift.legacy.server;

import dev.kvshift.legacy.wire.ClientUse;
import dev.kvshift.legacy.wire.Request;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/**
 * Who has read and written which collection since the server was started: the evidence that nobody
 * uses it any more. Safe for use by many threads.
 */
final class Usage {
  /** Clients beyond so many are counted together under {@link #OTHERS}. */
  static final int MAX_ENTRIES = 10_000;

  static final String OTHERS = "(others)";

  private final Map<User, Count> counts = new ConcurrentHashMap<>();
  private final Clock clock;
  private final long sinceMillis;

  Usage(Clock clock) {
    this.clock = clock;
    this.sinceMillis = clock.millis();
  }

  /** Who uses what. */
  record User(int collection, String client, String library, long epoch) {}

  /** How much, and when last. */
  private static final class Count {
    final LongAdder reads = new LongAdder();
    final LongAdder writes = new LongAdder();
    volatile long lastSeenMillis;
  }

  long sinceMillis() {
    return sinceMillis;
  }

  /** Counts a service's request; what the runner asks for is no use. */
  void count(String client, String library, Request request) {
    boolean write = request.hasWrite();
    if (!write && !request.hasGet() && !request.hasRange()) {
      return;
    }
    User user = new User(request.getCollection(), client, library, request.getEpoch());
    Count count = counts.get(user);
    if (count == null) {
      User counted =
          counts.size() < MAX_ENTRIES ? user : new User(user.collection, OTHERS, "", user.epoch);
      count = counts.computeIfAbsent(counted, added -> new Count());
    }
    (write ? count.writes : count.reads).increment();
    count.lastSeenMillis = clock.millis();
  }

  List<ClientUse> of(int collection) {
    List<ClientUse> uses = new ArrayList<>();
    counts.forEach(
        (user, count) -> {
          if (user.collection == collection) {
            uses.add(
                ClientUse.newBuilder()
                    .setClient(user.client)
                    .setLibrary(user.library)
                    .setEpoch(user.epoch)
                    .setReads(count.reads.sum())
                    .setWrites(count.writes.sum())
                    .setLastSeenMillis(count.lastSeenMillis)
                    .build());
          }
        });
    return uses;
  }
}
