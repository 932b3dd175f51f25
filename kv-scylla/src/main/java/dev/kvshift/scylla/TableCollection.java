package dev.kvshift.scylla;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.scylla.ScyllaCollection.Rows;
import dev.kvshift.scylla.ScyllaCollection.Shared;
import dev.kvshift.scylla.internal.cql.ForeignTypes;
import dev.kvshift.scylla.internal.cql.Murmur3;
import dev.kvshift.scylla.internal.scan.Scanner;
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
import dev.kvshift.spi.StoreClock;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** A collection in a table that kvshift did not make, as it is: a column for the value. */
final class TableCollection implements StoreCollection {
  /** The first byte of a scan's position while the table is read. */
  private static final Bytes IN_TABLE = Bytes.of((byte) 0);

  /** The first byte while the dead rows are read, after the table. */
  private static final Bytes AMONG_DEAD = Bytes.of((byte) 1);

  private static final long NO_FLOOR = 0;

  /** What the caller has opened. */
  record Opened(String name, Layout layout, Claim claim) {}

  private final Opened opened;
  private final Shared shared;
  private final OperationChecker checker;
  private final ForeignTypes types;
  private final Rows rows;
  private final @Nullable DeadRows dead;

  TableCollection(
      Opened opened,
      Shared shared,
      OperationChecker checker,
      ForeignTypes types,
      Rows rows,
      @Nullable DeadRows dead) {
    this.opened = opened;
    this.shared = shared;
    this.checker = checker;
    this.types = types;
    this.rows = rows;
    this.dead = dead;
  }

  @Override
  public String name() {
    return opened.name();
  }

  @Override
  public Layout layout() {
    return opened.layout();
  }

  @Override
  public void check(StoreKey key, Mutation mutation) {
    checker.check(key, mutation);
    types.check(name(), key, mutation);
    ScyllaCollection.checkVersion(name(), shared.clock(), mutation);
  }

  @Override
  public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
    return Futures.<@Nullable Row>start(
        () -> {
          checker.check(key);
          types.check(name(), key);
          return read(key, call);
        });
  }

  private CompletionStage<@Nullable Row> read(StoreKey key, Call call) {
    return rows.reader()
        .get(key, call)
        .thenCompose(
            row ->
                row != null || dead == null
                    ? CompletableFuture.<@Nullable Row>completedFuture(row)
                    : dead.get(key, call));
  }

  @Override
  public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
    return Futures.start(
        () -> {
          checker.requireWritable();
          check(key, mutation);
          if (mutation.lock() != null) {
            throw unsupported(Capability.LOCKS);
          }
          Long version = mutation.version();
          if (version != null) {
            return write(key, mutation, version, call);
          }
          if (opened.claim().kind() != Claim.Kind.ACTIVE) {
            throw new KvException.Permanent(
                "collection "
                    + name()
                    + " was opened for a migration, in which every write has a version: open it as"
                    + " ACTIVE to write without one");
          }
          long drawn = shared.serverClock().drawNow(NO_FLOOR);
          return drawn != StoreClock.NOT_NOW
              ? write(key, mutation, drawn, call)
              : shared
                  .serverClock()
                  .draw(NO_FLOOR, call)
                  .thenCompose(late -> write(key, mutation, late, call));
        });
  }

  private CompletionStage<Long> write(StoreKey key, Mutation mutation, long version, Call call) {
    Instant expiry = mutation.expiry();
    Mutation sent =
        expiry != null && shared.serverClock().hasExpired(expiry) ? Mutation.delete() : mutation;
    if (dead == null) {
      return rows.writer().write(key, sent, version, call);
    }
    return dead.announce(key, sent, version, call)
        .thenCompose(
            announced ->
                Futures.start(() -> rows.writer().write(key, sent, version, call))
                    .exceptionallyCompose(
                        error ->
                            CompletableFuture.failedFuture(
                                announced ? unknown(error) : Futures.unwrap(error))));
  }

  private KvException unknown(Throwable error) {
    KvException cause = Futures.writeFailure(error);
    return cause instanceof KvException.UnknownOutcome
        ? cause
        : new KvException.UnknownOutcome(
            "collection "
                + name()
                + ": the write is noted beside the table, which has not taken it: read back, or"
                + " write again",
            cause);
  }

  @Override
  public CompletionStage<RowPage> range(
      Bytes main, Bytes shard, Range range, PageLimit limit, Call call) {
    return Futures.start(
        () -> {
          checker.checkRange(main, shard);
          types.check(name(), StoreKey.of(main, Bytes.empty()));
          CompletionStage<RowPage> page = rows.ranges().read(main, shard, range, limit, call);
          return dead == null
              ? page
              : page.thenCompose(found -> dead.among(found, main, range, call));
        });
  }

  @Override
  public long token(StoreKey key) {
    return Murmur3.token(key.main());
  }

  @Override
  public CompletionStage<List<ScanTask>> scanTasks(int atLeast, Call call) {
    int nodes = shared.requests().session().getMetadata().getNodes().size();
    return CompletableFuture.completedFuture(Scanner.tasks(atLeast, nodes));
  }

  /** Reads the table, then the dead rows: their tokens are others, but each is in one task, too. */
  @Override
  public CompletionStage<ScanPage> scan(
      ScanTask task, @Nullable Bytes position, PageLimit limit, Call call) {
    return Futures.start(
        () -> {
          Bytes at =
              position == null || position.size() <= 1 ? null : position.slice(1, position.size());
          if (position != null && position.startsWith(AMONG_DEAD) && dead != null) {
            return scanDead(task, at, limit, call);
          }
          if (position != null && (!position.startsWith(IN_TABLE) || at == null)) {
            throw new KvException.Permanent(
                "this is not a scan position of table "
                    + name()
                    + ", or it was altered: restart the task from its beginning");
          }
          return rows.scanner().read(task, at, limit, call).thenApply(this::positioned);
        });
  }

  private ScanPage positioned(ScanPage page) {
    Bytes next = page.next();
    if (next == null) {
      return ScanPage.of(page.rows(), dead == null ? null : AMONG_DEAD);
    }
    return ScanPage.of(page.rows(), IN_TABLE.concat(next));
  }

  /** Reads a page of dead rows, without those that the table shows, or that are not the newest. */
  private CompletionStage<ScanPage> scanDead(
      ScanTask task, @Nullable Bytes at, PageLimit limit, Call call) {
    return Objects.requireNonNull(dead)
        .scan(task, at, limit, call)
        .thenCompose(
            page -> {
              Bytes next = page.next() == null ? null : AMONG_DEAD.concat(page.next());
              List<CompletableFuture<@Nullable Row>> now = new ArrayList<>();
              for (Row row : page.rows()) {
                now.add(read(row.key(), call).toCompletableFuture());
              }
              return CompletableFuture.allOf(now.toArray(CompletableFuture[]::new))
                  .thenApply(
                      done -> {
                        List<Row> newest = new ArrayList<>();
                        for (int i = 0; i < now.size(); i++) {
                          Row row = page.rows().get(i);
                          if (row.equals(now.get(i).join())) {
                            newest.add(row);
                          }
                        }
                        return ScanPage.of(newest, next);
                      });
            });
  }

  @Override
  public ChangeSource changes() {
    throw unsupported(Capability.CHANGE_SOURCE);
  }

  @Override
  public Gate gate() {
    throw unsupported(Capability.GATE);
  }

  private KvException unsupported(Capability capability) {
    return new KvException.UnsupportedCapability(
        capability, shared.requests().settings().toString());
  }
}
