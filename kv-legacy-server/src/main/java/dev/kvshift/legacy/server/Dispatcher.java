package dev.kvshift.legacy.server;

import static java.util.concurrent.CompletableFuture.completedFuture;

import com.google.protobuf.ByteString;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.legacy.server.internal.commit.GateOperations;
import dev.kvshift.legacy.server.internal.commit.MetadataOperations;
import dev.kvshift.legacy.server.internal.commit.Table;
import dev.kvshift.legacy.server.internal.engine.Engine;
import dev.kvshift.legacy.wire.CompareAndSet;
import dev.kvshift.legacy.wire.Instances;
import dev.kvshift.legacy.wire.KeyOf;
import dev.kvshift.legacy.wire.LegacyLimits;
import dev.kvshift.legacy.wire.ListRecords;
import dev.kvshift.legacy.wire.LockAll;
import dev.kvshift.legacy.wire.LockBatch;
import dev.kvshift.legacy.wire.Messages;
import dev.kvshift.legacy.wire.Nothing;
import dev.kvshift.legacy.wire.Open;
import dev.kvshift.legacy.wire.RaiseFence;
import dev.kvshift.legacy.wire.ReadChanges;
import dev.kvshift.legacy.wire.ReadRange;
import dev.kvshift.legacy.wire.Reassert;
import dev.kvshift.legacy.wire.Record;
import dev.kvshift.legacy.wire.Renew;
import dev.kvshift.legacy.wire.Reply;
import dev.kvshift.legacy.wire.Request;
import dev.kvshift.legacy.wire.RowBlock;
import dev.kvshift.legacy.wire.Scan;
import dev.kvshift.legacy.wire.SetRecord;
import dev.kvshift.legacy.wire.Usage;
import dev.kvshift.legacy.wire.Use;
import dev.kvshift.legacy.wire.Window;
import dev.kvshift.legacy.wire.Write;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Metadata;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.OperationChecker;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Turns the requests of one stream into calls of the engine, and their results into replies. Safe
 * for use by many threads.
 */
final class Dispatcher {
  private static final long UNGATED = Call.within(Duration.ZERO).ungated().epoch();
  private static final long MAX_BUDGET_MICROS = TimeUnit.DAYS.toMicros(1);

  private final Engine engine;
  private final ReadThrottle longReads;

  /** Cancels the reads that wait for changes, one each. */
  private final Set<Runnable> waitingReads = ConcurrentHashMap.newKeySet();

  private volatile boolean closed;

  /**
   * Creates a dispatcher.
   *
   * @param longReads runs reads of pages and scans, for which short requests must not wait, and all
   *     reads while the driver does not accept its replies
   */
  Dispatcher(Engine engine, ReadThrottle longReads) {
    this.engine = engine;
    this.longReads = longReads;
  }

  /** Answers a request. Fails with a {@link KvException}. */
  CompletableFuture<Reply> answer(Request request) {
    return Futures.start(() -> start(request)).toCompletableFuture();
  }

  /**
   * Records the clients that use a collection without a report. Requests of the runner do not
   * count: it follows the collection in another way.
   */
  void noteUse(Request request, Sessions.Attachment session, String client) {
    switch (request.getBodyCase()) {
      case REPORT ->
          session.report(
              request.getReport().getUsesList().stream()
                  .map(Use::getCollection)
                  .filter(engine::isCollection)
                  .collect(Collectors.toSet()));
      case GET, RANGE, WRITE -> {
        if (request.getEpoch() != UNGATED && engine.isCollection(request.getCollection())) {
          noteUse(request.getCollection(), session, client);
        }
      }
      case LOCK_ALL -> {
        Table space = engine.lockSpace(request.getLockAll().getSpace());
        if (space != null) {
          noteUse(space.id(), session, client);
        }
      }
      default -> {}
    }
  }

  private void noteUse(int collection, Sessions.Attachment session, String client) {
    if (session.isNoteDue(collection) && !session.hasReported(engine.name(collection))) {
      engine.noteClient(collection, client);
      session.noted(collection);
    }
  }

  private CompletableFuture<Reply> start(Request request) {
    RequestLimits.check(request);
    try {
      if (request.hasWrite()) {
        return write(engine.requireCollection(request.getCollection()), request);
      }
      return body(request).thenApply(reply -> reply.setId(request.getId()).build());
    } catch (IllegalArgumentException e) {
      throw new KvException.Permanent(
          "the request is malformed: " + e.getMessage() + "; use a driver of the server's version",
          e);
    }
  }

  private CompletableFuture<Reply.Builder> body(Request request) {
    return switch (request.getBodyCase()) {
      case OPEN -> open(request.getOpen());
      case DROP ->
          engine
              .drop(request.getDrop().getName(), request.getDrop().getIncarnation())
              .thenApply(done -> reply().setDone(Nothing.getDefaultInstance()));
      case RECORD -> completedFuture(record(request.getRecord()));
      case LIST_RECORDS -> records(request.getListRecords());
      case SET_RECORD -> setRecord(request.getSetRecord());
      case SERVER_TIME -> completedFuture(reply().setNumber(VersionClock.micros(engine.now())));
      case LOCK_ALL -> lockAll(request.getLockAll(), call(request));
      case LOCK_SPACE ->
          engine
              .locks()
              .space(request.getLockSpace())
              .thenApply(space -> reply(space).setCollection(space.id()));
      case REPORT ->
          engine
              .report(Messages.report(request.getReport()))
              .thenApply(states -> reply().setStates(Messages.states(states)));
      case MOVE_ALL ->
          engine
              .moveAll(request.getMoveAll().getAttemptsMap())
              .thenApply(states -> reply().setStates(Messages.states(states)));
      case RENEW -> renew(request.getRenew(), call(request));
      case LOCK_VERSION ->
          engine
              .locks()
              .version(
                  Messages.lock(request.getLockVersion().getLock()),
                  request.getLockVersion().getAbove(),
                  call(request))
              .thenApply(version -> reply().setNumber(version));
      case LOCK_HELD ->
          engine
              .locks()
              .isHeld(Messages.lock(request.getLockHeld()), call(request))
              .thenApply(held -> reply().setChanged(held));
      case RELEASE ->
          engine
              .locks()
              .release(Messages.lock(request.getRelease()), call(request))
              .thenApply(done -> reply().setDone(Nothing.getDefaultInstance()));
      case BODY_NOT_SET ->
          throw new KvException.Permanent(
              "the server does not know this kind of request: use a driver of the server's version");
      default -> body(engine.requireCollection(request.getCollection()), request);
    };
  }

  private CompletableFuture<Reply.Builder> open(Open open) {
    return open.getExisting()
        ? completedFuture(reply().setCollection(engine.servingCollection(open.getName()).id()))
        : engine
            .collection(open.getName(), open.getIncarnation())
            .thenApply(table -> reply().setCollection(table.id()));
  }

  private Reply.Builder record(String name) {
    Record.Builder record = Record.newBuilder().setName(name);
    Bytes value = engine.metadata().get(name);
    return reply().setRecord(value == null ? record : record.setValue(Messages.bytes(value)));
  }

  private CompletableFuture<Reply.Builder> records(ListRecords listing) {
    return later(
        2L * (MetadataOperations.PAGE_BYTES + Metadata.MAX_RECORD_BYTES),
        memory ->
            reply()
                .setRecords(
                    engine
                        .metadata()
                        .list(listing.getPrefix(), listing.getAfter(), listing.getLimit())));
  }

  private CompletableFuture<Reply.Builder> setRecord(SetRecord change) {
    return engine
        .metadata()
        .compareAndSet(
            change.getName(),
            change.hasExpected() ? Messages.bytes(change.getExpected()) : null,
            change.hasNext() ? Messages.bytes(change.getNext()) : null)
        .thenApply(changed -> reply().setChanged(changed));
  }

  private CompletableFuture<Reply.Builder> body(Table table, Request request) {
    return switch (request.getBodyCase()) {
      case GET -> get(table, request.getGet(), request.getEpoch());
      case RANGE -> range(table, request.getRange(), request.getEpoch());
      case SCAN -> scan(table, request.getScan());
      case CHANGES -> changes(table, request.getChanges());
      case WINDOW -> {
        ChangeSource.Window window = engine.reads().window(table);
        yield completedFuture(
            reply(table)
                .setWindow(
                    Window.newBuilder().setOldest(window.oldest()).setNewest(window.newest())));
      }
      case LOG_ID ->
          engine.logId(table, request.getLogId()).thenApply(id -> reply(table).setText(id));
      case CONSUMED ->
          engine
              .consumers()
              .consumed(table, request.getConsumed().getConsumer(), request.getConsumed().getUpTo())
              .thenApply(left -> reply(table).setNumber(left.toMillis()));
      case FORGET_CONSUMER ->
          engine
              .consumers()
              .forget(table, request.getForgetConsumer())
              .thenApply(done -> done(table));
      case REASSERT -> reassert(table, request.getReassert(), request);
      default -> gate(table, request);
    };
  }

  private CompletableFuture<Reply.Builder> gate(Table table, Request request) {
    GateOperations gates = engine.gates();
    return switch (request.getBodyCase()) {
      case GATE_STATE -> completedFuture(state(table, gates.state(table)));
      case COMPARE_AND_SET -> {
        CompareAndSet change = request.getCompareAndSet();
        yield gates
            .compareAndSet(
                table, Messages.state(change.getExpected()), Messages.state(change.getNext()))
            .thenApply(changed -> reply(table).setChanged(changed));
      }
      case RAISE_FENCE -> {
        RaiseFence raise = request.getRaiseFence();
        yield gates
            .fence(
                table,
                raise.getAttempt(),
                FenceOptions.lasting(Duration.ofMillis(raise.getLifetimeMillis()))
                    .givingUp(Set.copyOf(raise.getGivenUpList())))
            .thenApply(fence -> reply(table).setFence(Messages.fence(fence)));
      }
      case LIFT -> gates.lift(table, request.getLift().getAttempt()).thenApply(done -> done(table));
      case MOVE ->
          engine
              .move(table, request.getMove().getAttempt())
              .thenApply(state -> state(table, state));
      case SEAL -> gates.seal(table, request.getSeal()).thenApply(state -> state(table, state));
      case APPLIED -> gates.applied(table, request.getApplied()).thenApply(done -> done(table));
      case INSTANCES -> {
        Instances.Builder instances = Instances.newBuilder();
        gates
            .instances(table)
            .forEach(instance -> instances.addInstances(Messages.instance(table.name(), instance)));
        yield completedFuture(reply(table).setInstances(instances));
      }
      case USAGE ->
          completedFuture(
              reply(table)
                  .setUsage(
                      Usage.newBuilder()
                          .setSinceMillis(engine.usage().sinceMillis())
                          .addAllClients(engine.usage().since(table.id(), request.getUsage()))));
      default ->
          throw new KvException.Permanent(
              "the server does not know this kind of request: use a driver of the server's version");
    };
  }

  private CompletableFuture<Reply.Builder> renew(Renew request, Call call) {
    Duration lease = Duration.ofMillis(request.getLeaseMillis());
    OperationChecker.checkLease(lease);
    return engine
        .locks()
        .renew(Messages.lock(request.getLock()), lease, call)
        .thenApply(lock -> reply().setLock(Messages.lock(lock)));
  }

  private CompletableFuture<Reply.Builder> lockAll(LockAll request, Call call) {
    Set<Bytes> keys = new HashSet<>();
    for (ByteString key : request.getKeysList()) {
      keys.add(Messages.bytes(key));
    }
    Duration lease = Duration.ofMillis(request.getLeaseMillis());
    LegacyLimits.checkLocks(keys);
    OperationChecker.checkLease(lease);
    return engine
        .locks()
        .tryLockAll(request.getSpace(), keys, lease, call)
        .thenApply(
            batch -> {
              LockBatch.Builder message = LockBatch.newBuilder();
              batch.acquired().forEach(lock -> message.addAcquired(Messages.lock(lock)));
              batch.busy().forEach(key -> message.addBusy(Messages.bytes(key)));
              return reply().setLocks(message);
            });
  }

  private CompletableFuture<Reply.Builder> get(Table table, KeyOf get, long epoch) {
    StoreKey key = Messages.key(get.getMain(), get.getClustering());
    table.checker().check(key);
    return longReads.isFull()
        ? later(0, memory -> get(table, key, epoch, memory))
        : completedFuture(get(table, key, epoch));
  }

  private Reply.Builder get(Table table, StoreKey key, long epoch) {
    try (ReadThrottle.Lease memory = longReads.lease()) {
      return get(table, key, epoch, memory);
    }
  }

  private Reply.Builder get(Table table, StoreKey key, long epoch, ReadThrottle.Lease memory) {
    Row row = engine.reads().get(table, key, epoch, memory::take);
    return reply(table).setRow(RowBlock.of(row));
  }

  private CompletableFuture<Reply> write(Table table, Request request) {
    Write write = request.getWrite();
    StoreKey key = Messages.key(write.getMain(), write.getClustering());
    Mutation mutation = Messages.mutation(write);
    table.checker().check(key, mutation);
    return engine
        .write(table, key, mutation, call(request))
        .thenApply(version -> reply(table).setId(request.getId()).setNumber(version).build());
  }

  private CompletableFuture<Reply.Builder> range(Table table, ReadRange read, long epoch) {
    PageLimit limit = PageLimit.of(read.getEntries(), read.getBytes());
    Bytes main = Messages.bytes(read.getMain());
    Range range = Messages.range(read);
    table.checker().checkRange(main, Bytes.empty());
    table.checker().checkBounds(range);
    return later(
        2L * limit.bytes(),
        memory ->
            reply(table)
                .setPage(
                    Messages.page(
                        engine.reads().range(table, main, range, limit, epoch, memory::take))));
  }

  private CompletableFuture<Reply.Builder> scan(Table table, Scan scan) {
    PageLimit limit = PageLimit.of(scan.getEntries(), scan.getBytes());
    ScanTask task = ScanTask.of(scan.getAfter(), scan.getUpTo());
    Bytes position = scan.hasPosition() ? Messages.bytes(scan.getPosition()) : null;
    return later(
        2L * limit.bytes(),
        memory ->
            reply(table).setPage(engine.reads().scan(table, task, position, limit, memory::take)));
  }

  private CompletableFuture<Reply.Builder> changes(Table table, ReadChanges read) {
    Duration wait = Duration.of(Math.max(0, read.getWaitMicros()), ChronoUnit.MICROS);
    int bytes = Math.max(1, Math.min(read.getMaxBytes(), LegacyLimits.MAX_CHANGE_BYTES));
    return longReads.read(
        2L * bytes,
        () -> {
          ReadThrottle.Lease memory = longReads.lease();
          CompletableFuture<Reply.Builder> waiting =
              engine.changes(
                  table,
                  read.getAfter(),
                  bytes,
                  wait,
                  changes -> reply(table).setChanges(changes),
                  memory::take);
          waiting.whenComplete((reply, error) -> memory.close());
          if (!waiting.isDone()) {
            Runnable cancel = () -> waiting.completeExceptionally(ReadThrottle.endedStream());
            waitingReads.add(cancel);
            waiting.whenComplete((reply, error) -> waitingReads.remove(cancel));
            if (closed) {
              cancelWaiting();
            }
          }
          return waiting;
        });
  }

  /** Ends the reads that wait for changes, since their answers are no longer wanted. */
  void cancelWaiting() {
    closed = true;
    waitingReads.forEach(Runnable::run);
  }

  private CompletableFuture<Reply.Builder> reassert(
      Table table, Reassert reassert, Request request) {
    StoreKey key = Messages.key(reassert.getMain(), reassert.getClustering());
    table.checker().check(key);
    return engine
        .gates()
        .reassert(table, key, reassert.getAtLeast(), call(request))
        .thenApply(row -> reply(table).setRow(RowBlock.of(row)));
  }

  private CompletableFuture<Reply.Builder> later(
      long bytes, Function<ReadThrottle.Lease, Reply.Builder> read) {
    return longReads.read(
        bytes,
        () -> {
          try (ReadThrottle.Lease memory = longReads.lease()) {
            return completedFuture(read.apply(memory));
          }
        });
  }

  /** Returns the epoch of the collection of a request; 0 if it concerns none. */
  long epoch(Request request) {
    return engine.epoch(request.getCollection());
  }

  private static Call call(Request request) {
    long budgetMicros = Math.max(0, Math.min(request.getBudgetMicros(), MAX_BUDGET_MICROS));
    long budgetNanos = TimeUnit.MICROSECONDS.toNanos(budgetMicros);
    return Call.until(System.nanoTime() + budgetNanos).withEpoch(request.getEpoch());
  }

  private static Reply.Builder state(Table table, Gate.State state) {
    return reply(table).setGate(Messages.state(state));
  }

  private static Reply.Builder done(Table table) {
    return reply(table).setDone(Nothing.getDefaultInstance());
  }

  private static Reply.Builder reply(Table table) {
    return reply().setEpoch(table.publishedGate().state().epoch());
  }

  private static Reply.Builder reply() {
    return Reply.newBuilder();
  }
}
