package dev.kvshift.legacy.server;

import dev.kvshift.api.KvException;
import dev.kvshift.legacy.wire.LegacyGrpc;
import dev.kvshift.legacy.wire.Tokens;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Admits only calls that carry a token, except those of the health service, and attaches the role
 * of the token. Without a token file, every client may do everything.
 */
final class TokenCheck implements ServerInterceptor {
  private final @Nullable Path file;

  TokenCheck(@Nullable Path file) {
    this.file = file;
  }

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    if (!LegacyGrpc.SERVICE_NAME.equals(call.getMethodDescriptor().getServiceName())) {
      return next.startCall(call, headers);
    }
    Role role = role(Tokens.read(headers));
    if (role == null) {
      return refuse(call, Status.UNAUTHENTICATED.withDescription("the token is missing or wrong"));
    }
    if (LegacyGrpc.getStatisticsMethod()
            .getFullMethodName()
            .equals(call.getMethodDescriptor().getFullMethodName())
        && !role.includes(Role.MIGRATE)) {
      return refuse(
          call,
          Status.PERMISSION_DENIED.withDescription(
              "the token may " + role + ", and statistics need one that may migrate"));
    }
    Context context = Context.current().withValue(Role.OF_CALL, role);
    return Contexts.interceptCall(context, call, headers, next);
  }

  private static <Q, A> ServerCall.Listener<Q> refuse(ServerCall<Q, A> call, Status status) {
    call.close(status, new Metadata());
    return new ServerCall.Listener<>() {};
  }

  private @Nullable Role role(@Nullable String shown) {
    Path current = file;
    if (current == null) {
      return Role.ADMINISTER;
    }
    try {
      return AccessTokens.read(current).role(shown);
    } catch (KvException e) {
      return null;
    }
  }
}
