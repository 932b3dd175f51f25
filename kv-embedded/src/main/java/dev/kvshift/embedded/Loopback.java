package dev.kvshift.embedded;

import java.net.InetAddress;
import java.net.UnknownHostException;

/** The addresses 127.0.0.1, 127.0.0.2 and so on, the only ones that servers listen on. */
final class Loopback {
  private Loopback() {}

  static InetAddress address(int last) {
    try {
      return InetAddress.getByAddress(new byte[] {127, 0, 0, (byte) last});
    } catch (UnknownHostException e) {
      throw new AssertionError("four bytes are an address", e);
    }
  }
}
