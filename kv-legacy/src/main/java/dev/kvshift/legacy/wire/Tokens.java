package dev.kvshift.legacy.wire;

import io.grpc.ClientInterceptor;
import io.grpc.Metadata;
import io.grpc.stub.MetadataUtils;
import org.jspecify.annotations.Nullable;

/** How a driver shows that it may come in: a bearer token with each connection. Stateless. */
public final class Tokens {
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
  private static final String BEARER = "Bearer ";

  private Tokens() {}

  /** Returns what adds the token to a call. */
  public static ClientInterceptor attach(String token) {
    Metadata headers = new Metadata();
    headers.put(AUTHORIZATION, BEARER + token);
    return MetadataUtils.newAttachHeadersInterceptor(headers);
  }

  /** Returns the token of a call, or null. */
  public static @Nullable String read(Metadata headers) {
    String authorization = headers.get(AUTHORIZATION);
    return authorization != null && authorization.startsWith(BEARER)
        ? authorization.substring(BEARER.length())
        : null;
  }
}
