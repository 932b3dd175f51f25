package dev.kvshift.legacy.wire;

import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.ConnectionString.Parameter;
import dev.kvshift.api.KvException;
import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.io.File;
import javax.net.ssl.SSLException;

/** Opens channels to the server that a connection string names, encrypted or not. Stateless. */
public final class Connections {
  public static final Parameter TLS =
      Parameter.optional(
          "tls",
          "false",
          "whether the connection is encrypted, true or false; true if a ca is given");
  public static final Parameter CA =
      Parameter.optional(
          "ca", "", "PEM file of the authorities that vouch for the server; default: the JDK's");
  public static final Parameter TOKEN =
      Parameter.optional(
          "token", "", "token that the server requires, best as env:NAME or file:PATH");

  private Connections() {}

  /**
   * Returns the server that a connection string names.
   *
   * @throws KvException.Permanent if it names none, or several
   */
  public static ConnectionString.Host host(ConnectionString string) {
    if (string.hosts().size() != 1 || string.hosts().get(0).port().isEmpty()) {
      throw new KvException.Permanent(
          "legacy:// takes the leader's one host and port: write legacy://HOST:PORT");
    }
    return string.hosts().get(0);
  }

  /**
   * Returns the builder of a channel to the server, encrypted if the connection string says so.
   *
   * @throws KvException.Permanent if the file of the authorities cannot be read
   */
  public static NettyChannelBuilder channel(ConnectionString string) {
    ConnectionString.Host host = host(string);
    NettyChannelBuilder builder =
        NettyChannelBuilder.forAddress(host.name(), host.port().orElseThrow())
            .maxInboundMessageSize(LegacyLimits.MAX_FRAME_BYTES);
    String authorities = LegacyParameters.text(string, CA);
    if (!LegacyParameters.truth(string, TLS) && authorities.isEmpty()) {
      return builder.usePlaintext();
    }
    if (authorities.isEmpty()) {
      return builder.useTransportSecurity();
    }
    try {
      return builder.sslContext(
          GrpcSslContexts.forClient().trustManager(new File(authorities)).build());
    } catch (SSLException | IllegalArgumentException e) {
      throw new KvException.Permanent(
          "legacy://: ca=" + authorities + " cannot be read: give a PEM file", e);
    }
  }
}
