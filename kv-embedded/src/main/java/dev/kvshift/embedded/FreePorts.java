package dev.kvshift.embedded;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Picks ports that nobody listens on. They lie below the range from which systems take the ports of
 * outgoing connections, and none is given twice in the life of this JVM.
 */
final class FreePorts {
  private static final int FIRST = 20_000;
  private static final int LAST = 32_000;
  private static final int TRIES = 1_000;
  private static final Set<Integer> GIVEN = new HashSet<>();

  private FreePorts() {}

  static synchronized int next(List<InetAddress> addresses) {
    for (int i = 0; i < TRIES; i++) {
      int port = ThreadLocalRandom.current().nextInt(FIRST, LAST);
      if (!GIVEN.contains(port) && addresses.stream().allMatch(address -> isFree(address, port))) {
        GIVEN.add(port);
        return port;
      }
    }
    throw new StartFailedException(
        StartFailedException.Reason.PORT_IN_USE,
        "no free port on " + addresses + " from " + FIRST + " to " + LAST + ": free some");
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
