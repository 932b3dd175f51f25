package dev.kvshift.legacy.wire;

import io.grpc.ClientInterceptor;
import io.grpc.Metadata;
import io.grpc.stub.MetadataUtils;
import org.jspecify.annotations.Nullable;

/** Bearer tokens, with which drivers authenticate each connection. Stateless. */
public final class Tokens {
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
  private static final String BEARER = "Bearer ";

  private Tokens() {}

  /** Returns an interceptor that adds a token to each call. */
  public static ClientInterceptor attach(String token) {
    Metadata headers = new Metadata();
    headers.put(AUTHORIZATION, BEARER + token);
    return MetadataUtils.newAttachHeadersInterceptor(headers);
  }

  /** Returns the token of a call; null if it has none. */
  public static @Nullable String read(Metadata headers) {
    String authorization = headers.get(AUTHORIZATION);
    return authorization != null && authorization.startsWith(BEARER)
        ? authorization.substring(BEARER.length())
        : null;
  }
}
