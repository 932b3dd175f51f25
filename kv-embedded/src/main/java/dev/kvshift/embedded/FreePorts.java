package dev.kvshift.embedded;

import dev.kvshift.embedded.fork.StartFailedException;
import dev.kvshift.embedded.fork.StartFailedException.Reason;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;

/**
 * Picks ports on which no process listens. They lie below the range from which systems take the
 * ports of outgoing connections, and none is picked twice in the life of this JVM.
 */
final class FreePorts {
  private static final int FIRST = 20_000;
  private static final int LAST = 32_000;
  private static final int MAX_DRAWS = 1_000;
  private static final int MAX_STARTS = 3;
  private static final Set<Integer> PICKED = new HashSet<>();

  private FreePorts() {}

  /** Returns a port that is free on 127.0.0.1. */
  static int next() {
    return next(List.of(Loopback.address(1)));
  }

  /** Returns a port that is free on all addresses. */
  static synchronized int next(List<InetAddress> addresses) {
    for (int i = 0; i < MAX_DRAWS; i++) {
      int port = ThreadLocalRandom.current().nextInt(FIRST, LAST);
      if (!PICKED.contains(port) && addresses.stream().allMatch(address -> isFree(address, port))) {
        PICKED.add(port);
        return port;
      }
    }
    throw new StartFailedException(
        Reason.PORT_IN_USE,
        "no free port on " + addresses + " from " + FIRST + " to " + LAST + ": free some");
  }

  /** Runs a start again, with other ports, if another process has taken one in the meantime. */
  static <T> T retry(Supplier<T> start) {
    for (int attempt = 1; ; attempt++) {
      try {
        return start.get();
      } catch (StartFailedException e) {
        if (e.reason() != Reason.PORT_IN_USE || attempt == MAX_STARTS) {
          throw e;
        }
      }
    }
  }

  private static boolean isFree(InetAddress address, int port) {
    try (ServerSocket socket = new ServerSocket()) {
      socket.setReuseAddress(true);
      socket.bind(new InetSocketAddress(address, port));
      return true;
    } catch (IOException e) {
      return false;
    }
  }
}
