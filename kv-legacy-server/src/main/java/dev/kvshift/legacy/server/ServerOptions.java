package dev.kvshift.legacy.server;

import dev.kvshift.api.KvException;
import dev.kvshift.legacy.server.internal.admission.MemoryBudget;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Options of the server's listener. Immutable.
 *
 * @param bind the address to listen on
 * @param port the port to listen on; 0 takes a free one
 * @param tls the server's certificate; null for no TLS
 * @param tokenFile file with the tokens that drivers must show, read at each connect; null for none
 * @param insecure whether the server may be reachable by others without TLS or without tokens
 * @param memoryBytes the memory for requests and replies, over all connections
 */
public record ServerOptions(
    String bind,
    int port,
    @Nullable Tls tls,
    @Nullable Path tokenFile,
    boolean insecure,
    long memoryBytes) {
  static final String LOOPBACK = "127.0.0.1";
  static final long MIN_MEMORY_BYTES = 16L << 20;

  /**
   * A certificate.
   *
   * @param certificate PEM file of the certificate chain
   * @param key PEM file of its private key
   */
  public record Tls(Path certificate, Path key) {}

  public ServerOptions {
    if (port < 0 || port > 65_535) {
      throw new KvException.Permanent("port " + port + ": give 0 to 65535");
    }
    if (memoryBytes < MIN_MEMORY_BYTES) {
      throw new KvException.Permanent(
          "memory of "
              + (memoryBytes >> 20)
              + " MiB for requests: give at least "
              + (MIN_MEMORY_BYTES >> 20)
              + " MiB, or a larger heap");
    }
  }

  /** Returns options to listen on loopback, without TLS and tokens. */
  public static ServerOptions loopback(int port) {
    return new ServerOptions(LOOPBACK, port, null, null, false, defaultMemoryBytes());
  }

  static long defaultMemoryBytes() {
    return Math.max(MIN_MEMORY_BYTES, MemoryBudget.defaultBytes());
  }

  public ServerOptions withBind(String newBind) {
    return new ServerOptions(newBind, port, tls, tokenFile, insecure, memoryBytes);
  }

  public ServerOptions withTls(@Nullable Tls newTls) {
    return new ServerOptions(bind, port, newTls, tokenFile, insecure, memoryBytes);
  }

  public ServerOptions withTokenFile(@Nullable Path newTokenFile) {
    return new ServerOptions(bind, port, tls, newTokenFile, insecure, memoryBytes);
  }

  public ServerOptions withInsecure(boolean newInsecure) {
    return new ServerOptions(bind, port, tls, tokenFile, newInsecure, memoryBytes);
  }

  public ServerOptions withMemoryBytes(long newMemoryBytes) {
    return new ServerOptions(bind, port, tls, tokenFile, insecure, newMemoryBytes);
  }

  /**
   * Checks that the token file holds tokens, and that a server that others can reach is protected.
   *
   * @throws KvException.Permanent if not
   */
  void check() {
    Path file = tokenFile;
    if (file != null) {
      AccessTokens.read(file);
    }
    if (!insecure && (tls == null || file == null) && !isLoopback()) {
      throw new KvException.Permanent(
          "others can reach "
              + bind
              + ", and the server has no "
              + (tls == null ? "TLS" : "tokens")
              + ": give --tls-cert, --tls-key and --token-file, or --insecure if everybody who can"
              + " reach it may do everything");
    }
  }

  private boolean isLoopback() {
    try {
      return InetAddress.getByName(bind).isLoopbackAddress();
    } catch (UnknownHostException e) {
      throw new KvException.Permanent("address " + bind + " is unknown: check --bind", e);
    }
  }
}
