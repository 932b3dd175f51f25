package dev.kvshift.legacy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Lock;
import dev.kvshift.api.LockResult;
import dev.kvshift.legacy.PendingRequest.Kind;
import dev.kvshift.legacy.wire.LegacyLimits;
import dev.kvshift.legacy.wire.LockAll;
import dev.kvshift.legacy.wire.LockBatch;
import dev.kvshift.legacy.wire.LockVersion;
import dev.kvshift.legacy.wire.Messages;
import dev.kvshift.legacy.wire.Renew;
import dev.kvshift.legacy.wire.Reply;
import dev.kvshift.legacy.wire.Request;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.OperationChecker;
import dev.kvshift.spi.StoreLocks;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** A lock space, held by the server. */
final class RemoteLocks implements StoreLocks {
  private final LegacyStore store;
  private final String space;
  private final OperationChecker checker;

  RemoteLocks(LegacyStore store, String space) {
    this.store = store;
    this.space = space;
    this.checker = OperationChecker.of("locks:" + space, Layout.point(), store.limits());
  }

  @Override
  public CompletionStage<LockResult> tryLockAll(Set<Bytes> keys, Duration lease, Call call) {
    return Futures.start(
            () -> {
              LegacyLimits.checkLocks(keys);
              OperationChecker.checkLease(lease);
              checker.checkDeadline(call);
              LockAll.Builder message =
                  LockAll.newBuilder().setSpace(space).setLeaseMillis(lease.toMillis());
              keys.forEach(key -> message.addKeys(Messages.bytes(key)));
              return store.send(
                  Request.newBuilder().setLockAll(message), Kind.ONCE, call, RemoteLocks::batch);
            })
        .exceptionallyCompose(
            error ->
                Futures.unwrap(error) instanceof KvException.UnknownOutcome
                    ? CompletableFuture.completedFuture(LockResult.of(List.of(), Set.of(), keys))
                    : CompletableFuture.failedFuture(Futures.unwrap(error)));
  }

  private static LockResult batch(Reply reply) {
    LockBatch message = reply.getLocks();
    Set<Bytes> busy = new HashSet<>();
    message.getBusyList().forEach(key -> busy.add(Messages.bytes(key)));
    return LockResult.of(
        message.getAcquiredList().stream().map(Messages::lock).toList(), busy, Set.of());
  }

  @Override
  public CompletionStage<Lock> renew(Lock lock, Duration lease, Call call) {
    return Futures.start(
        () -> {
          OperationChecker.checkLease(lease);
          checker.checkDeadline(call);
          Renew.Builder message =
              Renew.newBuilder().setLock(Messages.lock(lock)).setLeaseMillis(lease.toMillis());
          return store.send(
              Request.newBuilder().setRenew(message),
              Kind.REPEATABLE,
              call,
              reply -> Messages.lock(reply.getLock()));
        });
  }

  @Override
  public CompletionStage<@Nullable Void> release(Lock lock, Call call) {
    return Futures.start(
        () -> {
          checker.checkDeadline(call);
          return store.send(
              Request.newBuilder().setRelease(Messages.lock(lock)),
              Kind.REPEATABLE,
              call,
              reply -> null);
        });
  }

  @Override
  public CompletionStage<Long> version(Lock lock, long above, Call call) {
    return Futures.start(
        () -> {
          checker.checkDeadline(call);
          LockVersion.Builder message =
              LockVersion.newBuilder().setLock(Messages.lock(lock)).setAbove(above);
          return store.send(
              Request.newBuilder().setLockVersion(message), Kind.READ, call, Reply::getNumber);
        });
  }

  @Override
  public CompletionStage<Boolean> isHeld(Lock lock, Call call) {
    return Futures.start(
        () -> {
          checker.checkDeadline(call);
          return store.send(
              Request.newBuilder().setLockHeld(Messages.lock(lock)),
              Kind.READ,
              call,
              Reply::getChanged);
        });
  }

  @Override
  public CompletionStage<Gate> gate() {
    return store.send(
        Request.newBuilder().setLockSpace(space),
        Kind.READ,
        store.call(),
        reply ->
            new RemoteGate(
                new LegacyCollection(
                    store, space, Layout.point(), Claim.ACTIVE, reply.getCollection())));
  }
}
