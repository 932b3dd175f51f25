package dev.kvshift.legacy;

import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.legacy.PendingRequest.Kind;
import dev.kvshift.legacy.wire.Drop;
import dev.kvshift.legacy.wire.Messages;
import dev.kvshift.legacy.wire.MoveAll;
import dev.kvshift.legacy.wire.Nothing;
import dev.kvshift.legacy.wire.Open;
import dev.kvshift.legacy.wire.Reply;
import dev.kvshift.legacy.wire.Request;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.Limits;
import dev.kvshift.spi.Metadata;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreLocks;
import dev.kvshift.spi.VersionClock;
import java.time.Instant;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The legacy store over the network. Opened to keep records, it has small records, and those of its
 * collections decide who may write to them, so that a collection can move here; then it takes no
 * locks.
 */
final class LegacyStore implements Store {
  private final Exchange exchange;
  private final Limits limits;
  private final String description;
  private final int partitions;
  private final @Nullable VersionClock clock;
  private final Runnable release;

  /**
   * Creates a store.
   *
   * @param clock the clock that draws the versions of writes, and follows those of the rows that
   *     are read; null if the store keeps no records, since its leader draws them
   */
  LegacyStore(
      Exchange exchange,
      Limits limits,
      String description,
      int partitions,
      @Nullable VersionClock clock,
      Runnable release) {
    this.exchange = exchange;
    this.limits = limits;
    this.description = description;
    this.partitions = partitions;
    this.clock = clock;
    this.release = release;
  }

  @Override
  public Set<Capability> capabilities() {
    return EnumSet.complementOf(
        clock != null
            ? EnumSet.of(Capability.LOCKS, Capability.LOCK_GATE)
            : EnumSet.of(Capability.METADATA));
  }

  @Override
  public Limits limits() {
    return limits;
  }

  @Override
  public String description() {
    return description;
  }

  int partitions() {
    return partitions;
  }

  @Override
  public CompletionStage<StoreCollection> open(String name, Layout layout, Claim claim) {
    return Futures.start(
        () -> {
          Open.Builder open = Open.newBuilder().setName(CollectionRecord.requireName(name));
          return clock != null
              ? CollectionRecord.claim(metadata(), name, layout, claim)
                  .thenCompose(
                      record -> open(open.setIncarnation(record.incarnation()), layout, claim))
              : open(open.setExisting(!claim.mayCreate()), layout, claim);
        });
  }

  private CompletionStage<StoreCollection> open(Open.Builder open, Layout layout, Claim claim) {
    return send(
        Request.newBuilder().setOpen(open),
        Kind.READ,
        call(),
        reply -> new LegacyCollection(this, open.getName(), layout, claim, reply.getCollection()));
  }

  @Override
  public CompletionStage<@Nullable Void> drop(String name, long incarnation) {
    Request.Builder request =
        Request.newBuilder().setDrop(Drop.newBuilder().setName(name).setIncarnation(incarnation));
    return send(request, Kind.ONCE, call(), reply -> null);
  }

  @Override
  public CompletionStage<CollectionRecord> activate(String name, Copy copy, long floor) {
    return Futures.start(() -> CollectionRecord.activate(metadata(), name, copy, floor));
  }

  @Override
  public CompletionStage<CollectionRecord> restart(
      String name, Layout layout, Copy copy, Copy next) {
    return Futures.start(() -> CollectionRecord.restart(metadata(), name, layout, copy, next));
  }

  @Override
  public CompletionStage<Map<String, Gate.State>> report(InstanceReport report) {
    return send(
        Request.newBuilder().setReport(Messages.report(report)),
        Kind.READ,
        call(),
        reply -> Messages.states(reply.getStates()));
  }

  @Override
  public CompletionStage<Map<String, Gate.State>> moveAll(Map<String, String> attempts) {
    return send(
        Request.newBuilder().setMoveAll(MoveAll.newBuilder().putAllAttempts(attempts)),
        Kind.REPEATABLE,
        call(),
        reply -> Messages.states(reply.getStates()));
  }

  @Override
  public CompletionStage<Instant> serverTime() {
    Request.Builder request = Request.newBuilder().setServerTime(Nothing.getDefaultInstance());
    return send(
        request,
        Kind.READ,
        call(),
        reply -> Instant.EPOCH.plusNanos(TimeUnit.MICROSECONDS.toNanos(reply.getNumber())));
  }

  /** The server reports no version; a library that it does not understand cannot connect. */
  @Override
  public CompletionStage<Map<String, String>> facts() {
    return CompletableFuture.completedFuture(
        Map.of("server", "legacy server, " + partitions + " partitions"));
  }

  @Override
  public Metadata metadata() {
    require(Capability.METADATA);
    return new RemoteMetadata(this);
  }

  @Override
  public StoreLocks locks(String space) {
    require(Capability.LOCKS);
    return new RemoteLocks(this, space);
  }

  /** Lets the clock, if there is one, follow the versions of rows that were read. */
  void observe(List<Row> rows) {
    VersionClock following = clock;
    if (following != null) {
      rows.forEach(row -> following.observe(row.version()));
    }
  }

  /** Checks that the store, as it was opened, has a capability. */
  void require(Capability capability) {
    if (!capabilities().contains(capability)) {
      throw new KvException.UnsupportedCapability(capability, description);
    }
  }

  Call call() {
    return Call.within(limits.timeout());
  }

  /** Sends a request whose arguments have been checked. */
  <T extends @Nullable Object> CompletionStage<T> send(
      Request.Builder request, Kind kind, Call call, Function<Reply, T> decode) {
    return exchange
        .send(request.setEpoch(call.epoch()), kind, call.deadlineNanos())
        .thenApply(decode);
  }

  @Override
  public void close() {
    release.run();
  }
}
