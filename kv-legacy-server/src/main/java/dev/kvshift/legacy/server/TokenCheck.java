package dev.kvshift.legacy.server;

import dev.kvshift.api.KvException;
import dev.kvshift.legacy.wire.LegacyGrpc;
import dev.kvshift.legacy.wire.Tokens;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import org.jspecify.annotations.Nullable;

/** Admits only calls that carry the token, except those of the health service. */
final class TokenCheck implements ServerInterceptor {
  private final ServerOptions options;

  TokenCheck(ServerOptions options) {
    this.options = options;
  }

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    if (LegacyGrpc.SERVICE_NAME.equals(call.getMethodDescriptor().getServiceName())
        && !isAllowed(Tokens.read(headers))) {
      call.close(
          Status.UNAUTHENTICATED.withDescription("the token is missing or wrong"), new Metadata());
      return new ServerCall.Listener<>() {};
    }
    return next.startCall(call, headers);
  }

  private boolean isAllowed(@Nullable String shown) {
    String wanted;
    try {
      wanted = options.token();
    } catch (KvException e) {
      return false;
    }
    return wanted == null
        || (shown != null
            && MessageDigest.isEqual(
                wanted.getBytes(StandardCharsets.UTF_8), shown.getBytes(StandardCharsets.UTF_8)));
  }
}
