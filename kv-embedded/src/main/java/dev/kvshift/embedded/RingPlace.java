package dev.kvshift.embedded;

import java.net.InetAddress;

/**
 * Where a node stands: its token, its address, the ports, which are the same on all nodes of a
 * ring, and its datacenter. The first node is the seed.
 */
record RingPlace(int number, int ringSize, int cqlPort, int storagePort, String datacenter) {
  static final String ONLY_DATACENTER = "datacenter1";

  InetAddress address() {
    return Loopback.address(number);
  }

  String host() {
    return address().getHostAddress();
  }

  String seed() {
    return Loopback.address(1).getHostAddress();
  }

  /** Divides all tokens evenly, from the smallest on; a node alone has 0. */
  String token() {
    if (ringSize == 1) {
      return "0";
    }
    long step = Long.divideUnsigned(-1, ringSize);
    return Long.toString(Long.MIN_VALUE + (number - 1) * step);
  }
}
