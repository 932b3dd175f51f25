package dev.kvshift.legacy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.legacy.PendingRequest.Kind;
import dev.kvshift.legacy.wire.Messages;
import dev.kvshift.legacy.wire.Partitions;
import dev.kvshift.legacy.wire.Reply;
import dev.kvshift.legacy.wire.Request;
import dev.kvshift.legacy.wire.RowBlock;
import dev.kvshift.legacy.wire.Scan;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.OperationChecker;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A collection over the network. Checks each request before it is sent. */
final class LegacyCollection implements StoreCollection {
  private final LegacyStore store;
  private final String name;
  private final Layout layout;
  private final int id;
  private final OperationChecker checker;
  private final List<LongConsumer> listeners = new CopyOnWriteArrayList<>();
  private volatile long newestEpoch;

  LegacyCollection(LegacyStore store, String name, Layout layout, Claim claim, int id) {
    this.store = store;
    this.name = name;
    this.layout = layout;
    this.id = id;
    this.checker = OperationChecker.of(name, layout, store.limits()).withoutShards().claimed(claim);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Layout layout() {
    return layout;
  }

  @Override
  public void check(StoreKey key, Mutation mutation) {
    checker.check(key, mutation);
  }

  @Override
  public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
    return ask(
        Kind.READ,
        call,
        () -> {
          checker.check(key);
          return Request.newBuilder().setGet(Messages.key(key));
        },
        this::row);
  }

  @Override
  public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
    Kind kind = mutation.version() == null ? Kind.ONCE : Kind.REPEATABLE;
    return ask(
        kind,
        call,
        () -> {
          checker.requireWritable();
          checker.check(key, mutation);
          if (mutation.lock() != null) {
            store.require(Capability.LOCKS);
          }
          return Request.newBuilder().setWrite(Messages.write(key, mutation));
        },
        Reply::getNumber);
  }

  @Override
  public CompletionStage<RowPage> range(
      Bytes main, Bytes shard, Range range, PageLimit limit, Call call) {
    return ask(
        Kind.READ,
        call,
        () -> {
          checker.checkRange(main, shard);
          checker.checkBounds(range);
          return Request.newBuilder().setRange(Messages.range(main, range, limit));
        },
        reply -> {
          RowPage page = Messages.rowPage(reply.getPage(), main);
          store.observe(page.rows());
          return page;
        });
  }

  @Override
  public long token(StoreKey key) {
    return Partitions.of(key.main(), store.partitions());
  }

  @Override
  public CompletionStage<List<ScanTask>> scanTasks(int atLeast, Call call) {
    return Futures.start(
        () -> CompletableFuture.completedFuture(Partitions.tasks(store.partitions(), atLeast)));
  }

  @Override
  public CompletionStage<ScanPage> scan(
      ScanTask task, @Nullable Bytes position, PageLimit limit, Call call) {
    Scan.Builder scan =
        Scan.newBuilder()
            .setAfter(task.after())
            .setUpTo(task.upTo())
            .setEntries(limit.entries())
            .setBytes(limit.bytes());
    if (position != null) {
      scan.setPosition(Messages.bytes(position));
    }
    return ask(
        Kind.READ,
        call,
        () -> Request.newBuilder().setScan(scan),
        reply -> Messages.scanPage(reply.getPage()));
  }

  @Override
  public ChangeSource changes() {
    return new RemoteChanges(this);
  }

  @Override
  public Gate gate() {
    return new RemoteGate(this);
  }

  void check(StoreKey key) {
    checker.check(key);
  }

  Call call() {
    return store.call();
  }

  private @Nullable Row row(Reply reply) {
    List<Row> rows = RowBlock.read(reply.getRow());
    store.observe(rows);
    return rows.isEmpty() ? null : rows.get(0);
  }

  /** Sends a request about this collection. An error while it is built fails the stage. */
  <T extends @Nullable Object> CompletionStage<T> ask(
      Kind kind, Call call, Supplier<Request.Builder> request, Function<Reply, T> decode) {
    return Futures.start(
        () -> {
          Request.Builder message = request.get().setCollection(id);
          checker.checkDeadline(call);
          return store.send(
              message,
              kind,
              call,
              reply -> {
                hear(reply.getEpoch());
                return decode.apply(reply);
              });
        });
  }

  void listen(LongConsumer listener) {
    listeners.add(listener);
  }

  private void hear(long epoch) {
    if (epoch > newestEpoch) {
      newestEpoch = epoch;
      listeners.forEach(listener -> listener.accept(epoch));
    }
  }
}
