package dev.kvshift.legacy.wire;

import dev.kvshift.api.KvException;
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

  /** Returns whether a text can be a token: visible ASCII characters, at least one. */
  public static boolean isToken(String text) {
    return !text.isEmpty() && text.chars().allMatch(each -> each > ' ' && each < 0x7f);
  }

  /**
   * Returns an interceptor that adds a token to each call.
   *
   * @throws KvException.Permanent if the text is not a token, such as the content of a blank file
   */
  public static ClientInterceptor attach(String token) {
    if (!isToken(token)) {
      throw new KvException.Permanent(
          "the token is empty, or has characters that are not visible ASCII: check the token"
              + " parameter, and the file that it names");
    }
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
