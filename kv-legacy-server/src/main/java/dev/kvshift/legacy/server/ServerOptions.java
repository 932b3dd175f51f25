package dev.kvshift.legacy.server;

import dev.kvshift.api.KvException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Options of the server's listener.
 *
 * @param bind the address to listen on
 * @param port the port to listen on; 0 takes a free one
 * @param certificate PEM file of the server's certificate chain; null for no TLS
 * @param key PEM file of its private key; null exactly if there is no certificate
 * @param tokenFile file whose only line is the token that drivers must show, read at each connect;
 *     null for none
 */
public record ServerOptions(
    String bind,
    int port,
    @Nullable Path certificate,
    @Nullable Path key,
    @Nullable Path tokenFile) {
  static final String LOOPBACK = "127.0.0.1";

  public ServerOptions {
    if (port < 0 || port > 65_535) {
      throw new KvException.Permanent("port " + port + ": give 0 to 65535");
    }
    if ((certificate == null) != (key == null)) {
      throw new KvException.Permanent("TLS takes both a certificate and a key: give both");
    }
  }

  public static ServerOptions loopback(int port) {
    return new ServerOptions(LOOPBACK, port, null, null, null);
  }

  /** Returns the token that drivers must show now; null for none. */
  @Nullable String token() {
    Path file = tokenFile;
    if (file == null) {
      return null;
    }
    try {
      return Files.readString(file, StandardCharsets.UTF_8).strip();
    } catch (IOException e) {
      throw new KvException.Permanent(
          "token file " + file + " cannot be read: check its path and permissions", e);
    }
  }
}
