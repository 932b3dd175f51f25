package dev.kvshift.embedded;

import java.net.InetAddress;

/**
 * A node's part in a ring, which decides its token, address and seed. The first node is the seed.
 *
 * @param number from 1
 * @param ringSize the number of nodes of the ring
 * @param ports the same on all nodes, which differ in their addresses
 */
record RingMember(int number, int ringSize, Ports ports, String datacenter) {
  static final String ONLY_DATACENTER = "datacenter1";

  /**
   * The ports of a node.
   *
   * @param cql for clients
   * @param storage for other nodes
   */
  record Ports(int cql, int storage) {}

  /** Returns the only node of its ring. */
  static RingMember alone(Ports ports) {
    return new RingMember(1, 1, ports, ONLY_DATACENTER);
  }

  boolean isAlone() {
    return ringSize == 1;
  }

  InetAddress address() {
    return Loopback.address(number);
  }

  String host() {
    return address().getHostAddress();
  }

  String seed() {
    return Loopback.address(1).getHostAddress() + ':' + ports.storage();
  }

  /** Returns the start of the node's equal share of all tokens; 0 for a node alone. */
  String token() {
    if (isAlone()) {
      return "0";
    }
    long step = Long.divideUnsigned(-1, ringSize);
    return Long.toString(Long.MIN_VALUE + (number - 1) * step);
  }
}
