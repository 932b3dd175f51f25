package dev.kvshift.scylla.internal.write;

import static com.datastax.oss.simulacron.common.stubbing.PrimeDsl.when;
import static dev.kvshift.scylla.TestStores.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.datastax.oss.protocol.internal.Frame;
import com.datastax.oss.protocol.internal.request.Batch;
import com.datastax.oss.protocol.internal.request.Execute;
import com.datastax.oss.simulacron.common.cluster.AbstractNode;
import com.datastax.oss.simulacron.common.codec.ConsistencyLevel;
import com.datastax.oss.simulacron.common.codec.WriteType;
import com.datastax.oss.simulacron.common.result.Result;
import com.datastax.oss.simulacron.common.stubbing.Action;
import com.datastax.oss.simulacron.common.stubbing.CloseType;
import com.datastax.oss.simulacron.common.stubbing.DisconnectAction.Scope;
import com.datastax.oss.simulacron.common.stubbing.PrimeDsl;
import com.datastax.oss.simulacron.common.stubbing.StubMapping;
import com.datastax.oss.simulacron.server.BoundCluster;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout.Shape;
import dev.kvshift.scylla.SimulatedCluster;
import dev.kvshift.scylla.TestStores;
import dev.kvshift.scylla.internal.cql.CollectionCql;
import dev.kvshift.scylla.internal.cql.CollectionCql.StatementKind;
import dev.kvshift.scylla.internal.cql.Dialect;
import dev.kvshift.scylla.internal.schema.CollectionStatements;
import dev.kvshift.scylla.internal.schema.CollectionStatements.RowWrite;
import dev.kvshift.scylla.internal.session.Requests;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Which writes are batched, in which order, and with which outcome, on a simulated server. */
final class PartitionWritesTest {
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final ConsistencyLevel QUORUM = ConsistencyLevel.LOCAL_QUORUM;
  private static final byte UNLOGGED = 1;
  private static final int PUT_VALUES = 6;
  private static final int WHOLE_BATCH = PartitionWrites.MAX_ROWS * PUT_VALUES;

  private final Wire wire = new Wire();
  private final AtomicLong now = new AtomicLong(System.nanoTime());
  private final Queue<Runnable> timer = new ConcurrentLinkedQueue<>();
  private SimulatedCluster simulated;
  private BoundCluster cluster;
  private Requests requests;
  private PartitionWrites writes;

  /**
   * Answers every write. Records the versions of each request, and how many rows came in whole
   * batches, beyond one for each.
   */
  private static final class Wire extends StubMapping {
    final List<List<Long>> received = Collections.synchronizedList(new ArrayList<>());
    final AtomicInteger whole = new AtomicInteger();
    volatile Function<List<Long>, Result> answer = versions -> PrimeDsl.void_();

    private volatile CountDownLatch held = new CountDownLatch(0);

    /** Makes the server keep all further requests without an answer. */
    void hold() {
      held = new CountDownLatch(1);
    }

    void release() {
      held.countDown();
    }

    @Override
    public boolean matches(Frame frame) {
      return frame.message instanceof Batch || frame.message instanceof Execute;
    }

    @Override
    @SuppressWarnings("rawtypes")
    public List<Action> getActions(AbstractNode node, Frame frame) {
      List<Long> versions;
      if (frame.message instanceof Batch batch) {
        assertThat(batch.type).isEqualTo(UNLOGGED);
        versions = batch.values.stream().map(bound -> version(bound, 0)).toList();
      } else {
        List<ByteBuffer> bound = ((Execute) frame.message).options.positionalValues;
        int rows = bound.size() == WHOLE_BATCH ? PartitionWrites.MAX_ROWS : 1;
        versions =
            IntStream.range(0, rows).mapToObj(row -> version(bound, row * PUT_VALUES)).toList();
        whole.addAndGet(rows - 1);
      }
      received.add(versions);
      try {
        assertThat(held.await(LONG.toSeconds(), TimeUnit.SECONDS)).isTrue();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      return answer.apply(versions).toActions(node, frame);
    }

    private static long version(List<ByteBuffer> bound, int index) {
      return bound.get(index).getLong(0);
    }
  }

  @BeforeEach
  void open() {
    open("");
  }

  private void open(String more) {
    simulated = new SimulatedCluster(1, more);
    cluster = simulated.cluster;
    requests = simulated.requests;
    CollectionCql cql = CollectionCql.of("shop", "files_i1", Shape.RANGE, Dialect.cassandra("5"));
    for (StatementKind kind : cql.kinds()) {
      LinkedHashMap<String, String> types = new LinkedHashMap<>();
      int rows = kind == StatementKind.PUT_BATCH ? PartitionWrites.MAX_ROWS : 1;
      for (int row = 0; row < rows; row++) {
        if (kind == StatementKind.PUT || kind == StatementKind.PUT_BATCH) {
          types.put("version" + row, "bigint");
          types.put("ttl" + row, "int");
        } else if (kind == StatementKind.DELETE) {
          types.put("version" + row, "bigint");
        }
        for (String column : List.of("a", "b", "c", "d")) {
          types.put(column + row, "blob");
        }
      }
      LinkedHashMap<String, Object> values = new LinkedHashMap<>();
      types.keySet().forEach(name -> values.put(name, "*"));
      cluster.prime(
          when(PrimeDsl.query(cql.text(kind), List.of(), values, types)).then(PrimeDsl.noRows()));
    }
    CollectionStatements statements =
        await(CollectionStatements.prepare(requests, cql, VersionClock.ofProcess()));
    assertThat(cluster.clearPrimes(true)).isPositive();
    cluster.getStubStore().register(wire);
    writes =
        new PartitionWrites(
            "a write to collection files",
            statements,
            requests,
            now::get,
            (delay, task) -> timer.add(task));
  }

  @AfterEach
  void close() {
    wire.release();
    simulated.close();
  }

  private CompletableFuture<Long> write(String partition, long version) {
    return write(partition, version, LONG, 8);
  }

  private CompletableFuture<Long> write(
      String partition, long version, Duration timeout, int cellBytes) {
    return write(partition, version, Call.within(timeout), cellBytes);
  }

  private CompletableFuture<Long> write(String partition, long version, Call call, int cellBytes) {
    return writes
        .write(row(partition, version, call, cellBytes))
        .toCompletableFuture()
        .orTimeout(LONG.toSeconds(), TimeUnit.SECONDS);
  }

  private static RowWrite row(String partition, long version, Call call, int cellBytes) {
    Bytes clustering = Bytes.of(ByteBuffer.allocate(Long.BYTES).putLong(0, version).array());
    StoreKey key = StoreKey.of(Bytes.utf8(partition), Bytes.empty(), clustering);
    ByteBuffer cell = version % 3 == 0 ? null : ByteBuffer.allocate(cellBytes);
    return new RowWrite(key, version, null, cell, call);
  }

  /** Writes rows together. Their stages are in the same order. */
  private List<CompletableFuture<Long>> together(RowWrite... rows) {
    Map<StoreKey, CompletionStage<Long>> written = writes.writeAll(List.of(rows));
    return Stream.of(rows).map(row -> written.get(row.key()).toCompletableFuture()).toList();
  }

  private static RowWrite[] rows(String partition, long from, long to) {
    Call call = Call.within(LONG);
    return LongStream.range(from, to)
        .mapToObj(version -> row(partition, version, call, 8))
        .toArray(RowWrite[]::new);
  }

  private List<CompletableFuture<Long>> writeAll(String partition, long from, long to) {
    return LongStream.range(from, to).mapToObj(version -> write(partition, version)).toList();
  }

  /** Writes one row to each of many partitions, which makes the collection busy. */
  private List<CompletableFuture<Long>> writeUntilBusy() {
    return LongStream.range(0, PartitionWrites.BUSY_ROWS)
        .mapToObj(number -> write("busy " + number, 1_000 + number))
        .toList();
  }

  private List<List<Long>> receivedBehindBusy() {
    assertThat(wire.received.subList(0, PartitionWrites.BUSY_ROWS))
        .containsExactlyElementsOf(
            LongStream.range(0, PartitionWrites.BUSY_ROWS)
                .mapToObj(number -> List.of(1_000 + number))
                .toList());
    return wire.received.subList(PartitionWrites.BUSY_ROWS, wire.received.size());
  }

  private static List<Long> versions(long from, long to) {
    return LongStream.range(from, to).boxed().toList();
  }

  private static String outcome(CompletableFuture<?> write) {
    Throwable error = catchThrowable(() -> await(write));
    return error == null ? "ok" : error.getClass().getSimpleName();
  }

  @Test
  void write_partitionIdle_goesAlone() {
    for (long version = 1; version <= 3; version++) {
      assertThat(await(write("a", version))).isEqualTo(version);
    }
    assertThat(wire.received).containsExactly(versions(1, 2), versions(2, 3), versions(3, 4));
  }

  @Test
  void write_partitionBusy_goesWithOthersInOrder() {
    wire.hold();
    List<CompletableFuture<Long>> all = writeAll("a", 1, 113);
    wire.release();
    assertThat(all.stream().map(write -> await(write)).toList()).isEqualTo(versions(1, 113));
    assertThat(wire.received)
        .containsExactly(
            versions(1, 2), versions(2, 3), versions(3, 53), versions(53, 103), versions(103, 113));
  }

  @Test
  void write_partitionVeryBusy_hasNoMoreRequestsThanItsShare() {
    wire.hold();
    List<CompletableFuture<Long>> all = writeAll("a", 1, 403);
    wire.release();
    assertThat(all.stream().map(write -> await(write)).toList()).isEqualTo(versions(1, 403));
    assertThat(wire.received)
        .containsExactly(
            versions(1, 2),
            versions(2, 3),
            versions(3, 53),
            versions(53, 103),
            versions(103, 153),
            versions(153, 203),
            versions(203, 253),
            versions(253, 303),
            versions(303, 353),
            versions(353, 403));
  }

  @Test
  void writeAll_partitionIdle_isOneRequestForFiftyRows() {
    wire.hold();
    List<CompletableFuture<Long>> all = new ArrayList<>(together(rows("a", 1, 51)));
    all.addAll(together(rows("b", 101, 221)));
    wire.release();
    all.forEach(TestStores::await);
    assertThat(all.subList(0, 50).stream().map(write -> await(write)).toList())
        .isEqualTo(versions(1, 51));
    assertThat(wire.received)
        .containsExactly(
            versions(1, 51), versions(101, 151), versions(151, 201), versions(201, 221));
  }

  /** Rows of two partitions, beside one that is large: a batch is of one partition. */
  @Test
  void writeAll_rowsOfSeveralPartitions_areARequestForEach() {
    Call call = Call.within(LONG);
    together(
            row("a", 1, call, 8),
            row("b", 2, call, 8),
            row("a", 4, call, PartitionWrites.MAX_ROW_BYTES),
            row("b", 5, call, 8),
            row("a", 7, call, 8))
        .forEach(TestStores::await);
    assertThat(wire.received)
        .containsExactlyInAnyOrder(List.of(4L), List.of(1L, 7L), List.of(2L, 5L));
  }

  @Test
  void writeAll_rowsOfManyBytes_areDividedByThem() {
    Call call = Call.within(LONG);
    RowWrite[] large =
        LongStream.of(1, 2, 4, 5, 7, 8, 10, 11, 13, 14, 16, 17, 19, 20, 22, 23, 25)
            .mapToObj(version -> row("a", version, call, PartitionWrites.MAX_ROW_BYTES / 2))
            .toArray(RowWrite[]::new);
    together(large).forEach(TestStores::await);
    assertThat(wire.received)
        .containsExactlyInAnyOrder(
            List.of(1L, 2L, 4L, 5L, 7L, 8L, 10L, 11L, 13L, 14L, 16L, 17L, 19L, 20L, 22L),
            List.of(23L, 25L));
  }

  @Test
  void writeAll_partitionBusy_waitsWithOthers() {
    wire.hold();
    List<CompletableFuture<Long>> all = new ArrayList<>(writeAll("a", 1, 4));
    all.addAll(together(rows("a", 4, 14)));
    all.add(write("a", 14));
    wire.release();
    all.forEach(TestStores::await);
    assertThat(wire.received).containsExactly(versions(1, 2), versions(2, 3), versions(3, 15));
  }

  @Test
  void writeAll_behindLaterDeadlines_goesAtOnceAsOneBatch() {
    wire.hold();
    List<CompletableFuture<Long>> all = new ArrayList<>(writeAll("a", 1, 6));
    Call sooner = Call.within(LONG.dividedBy(2));
    all.addAll(together(row("a", 10, sooner, 8), row("a", 11, sooner, 8)));
    wire.release();
    all.forEach(TestStores::await);
    assertThat(wire.received)
        .containsExactly(versions(1, 2), versions(2, 3), versions(10, 12), versions(3, 6));
  }

  @Test
  void writeAll_moreThanMayWait_refusesThoseAlone() {
    simulated.close();
    open("&maxQueued=4");
    wire.hold();
    writeAll("a", 1, 3);
    List<CompletableFuture<Long>> all = together(rows("a", 4, 8));
    wire.release();
    assertThat(all)
        .extracting(PartitionWritesTest::outcome)
        .containsExactly("ok", "ok", "Overloaded", "Overloaded");
  }

  @Test
  void write_rowsOfManyBytes_areAWholeBatchByThem() {
    wire.hold();
    int large = PartitionWrites.MAX_ROW_BYTES / 2;
    List<CompletableFuture<Long>> all = new ArrayList<>(writeAll("a", 1, 3));
    for (long version : List.of(4L, 5L, 7L, 8L, 10L, 11L, 13L, 14L, 16L, 17L, 19L, 20L, 22L, 23L)) {
      all.add(write("a", version, LONG, large));
    }
    all.add(write("a", 25, LONG, PartitionWrites.MAX_ROW_BYTES));
    all.add(write("a", 26, LONG, large));
    all.add(write("a", 28, LONG, large));
    all.add(write("b", 29));
    wire.release();
    all.forEach(TestStores::await);
    assertThat(wire.received)
        .containsExactly(
            List.of(1L),
            List.of(2L),
            List.of(25L),
            List.of(4L, 5L, 7L, 8L, 10L, 11L, 13L, 14L, 16L, 17L, 19L, 20L, 22L, 23L, 26L),
            List.of(29L),
            List.of(28L));
  }

  @Test
  void write_otherPartitionBusy_doesNotWaitForIt() {
    wire.hold();
    List<CompletableFuture<Long>> all = new ArrayList<>(writeAll("a", 1, 1_001));
    all.add(write("b", 2_000));
    assertThat(timer).hasSize(1);
    now.addAndGet(PartitionWrites.LINGER.toNanos());
    timer.remove().run();
    wire.release();
    all.forEach(TestStores::await);
    assertThat(wire.received.indexOf(List.of(2_000L))).isEqualTo(PartitionWrites.MAX_REQUESTS);
    assertThat(wire.received.subList(PartitionWrites.MAX_REQUESTS + 1, wire.received.size()))
        .hasSize(14)
        .allSatisfy(batch -> assertThat(batch).hasSizeLessThanOrEqualTo(50));
  }

  @Test
  void write_collectionBusy_waitsForCompanyUntilARequestEnds() {
    wire.hold();
    List<CompletableFuture<Long>> all = new ArrayList<>(writeUntilBusy());
    all.addAll(writeAll("a", 1, 4));
    all.add(write("b", 10));
    wire.release();
    all.forEach(TestStores::await);
    assertThat(receivedBehindBusy()).containsExactly(versions(1, 4), List.of(10L));
    assertThat(await(write("a", 20))).isEqualTo(20);
  }

  @Test
  void write_collectionBusy_aWholeBatchGoesAtOnce() {
    wire.hold();
    List<CompletableFuture<Long>> all = new ArrayList<>(writeUntilBusy());
    all.addAll(writeAll("a", 1, 52));
    now.addAndGet(PartitionWrites.LINGER.toNanos());
    timer.remove().run();
    all.addAll(writeAll("a", 52, 54));
    wire.release();
    all.forEach(TestStores::await);
    assertThat(receivedBehindBusy())
        .containsExactly(versions(1, 51), versions(51, 52), versions(52, 54));
  }

  @Test
  void write_collectionBusyAndNothingEnds_goesAfterAMoment() {
    wire.hold();
    List<CompletableFuture<Long>> all = new ArrayList<>(writeUntilBusy());
    all.addAll(writeAll("a", 1, 3));
    now.addAndGet(PartitionWrites.LINGER.toNanos() / 2);
    all.add(write("b", 10));
    now.addAndGet(PartitionWrites.LINGER.toNanos() / 2);
    timer.remove().run();
    all.addAll(writeAll("a", 3, 5));
    now.addAndGet(PartitionWrites.LINGER.toNanos() / 2);
    timer.remove().run();
    assertThat(timer).hasSize(1);
    wire.release();
    all.forEach(TestStores::await);
    assertThat(receivedBehindBusy()).containsExactly(versions(1, 3), List.of(10L), versions(3, 5));
    now.addAndGet(PartitionWrites.LINGER.toNanos());
    timer.remove().run();
    assertThat(timer).isEmpty();
  }

  @Test
  void write_busyStoreClosed_failsWithWhatWaitsForCompany() {
    wire.hold();
    List<CompletableFuture<Long>> all = new ArrayList<>(writeUntilBusy());
    List<CompletableFuture<Long>> waiting = writeAll("a", 1, 4);
    requests.close();
    assertThat(waiting).allSatisfy(write -> assertThat(outcome(write)).isEqualTo("Permanent"));
    assertThat(all).allSatisfy(write -> assertThat(outcome(write)).isNotEqualTo("ok"));
  }

  @Test
  void batch_wholeOfPuts_isOneStatement() {
    wire.hold();
    List<CompletableFuture<Long>> all = new ArrayList<>(writeAll("a", 1, 3));
    List<Long> puts = LongStream.range(3, 100).filter(v -> v % 3 != 0).boxed().toList();
    puts.forEach(version -> all.add(write("a", version)));
    wire.release();
    all.forEach(TestStores::await);
    assertThat(wire.received)
        .containsExactly(
            List.of(1L), List.of(2L), puts.subList(0, 50), puts.subList(50, puts.size()));
    assertThat(wire.whole).hasValue(PartitionWrites.MAX_ROWS - 1);
  }

  @Test
  void write_deadlinesAMomentApart_goTogetherUntilTheFirst() {
    wire.hold();
    List<CompletableFuture<Long>> all = new ArrayList<>(writeAll("a", 1, 3));
    long deadline = System.nanoTime() + LONG.toNanos();
    all.add(write("a", 4, Call.until(deadline), 8));
    all.add(write("a", 5, Call.until(deadline - PartitionWrites.DEADLINE_JITTER_NANOS), 8));
    wire.release();
    all.forEach(TestStores::await);
    assertThat(wire.received).containsExactly(List.of(1L), List.of(2L), versions(4, 6));
  }

  @Test
  void write_deadlineBeforeThoseThatWait_goesAtOnce() {
    wire.hold();
    List<CompletableFuture<Long>> all = new ArrayList<>(writeAll("a", 1, 5));
    all.add(write("a", 9, LONG.minusSeconds(30), 8));
    wire.release();
    all.forEach(TestStores::await);
    assertThat(wire.received)
        .containsExactly(List.of(1L), List.of(2L), List.of(9L), versions(3, 5));
  }

  @Test
  void write_deadlinesFarApart_areNotInOneBatch() {
    wire.hold();
    List<CompletableFuture<Long>> all = new ArrayList<>(writeAll("a", 1, 5));
    all.add(write("a", 9, LONG.multipliedBy(3), 8));
    wire.release();
    all.forEach(TestStores::await);
    assertThat(wire.received)
        .containsExactly(List.of(1L), List.of(2L), versions(3, 5), List.of(9L));
  }

  @Test
  void batch_fails_eachWriteHasWhatItMeans() {
    Map<String, Result> answers = new LinkedHashMap<>();
    answers.put("ok", PrimeDsl.void_());
    answers.put("Transient", PrimeDsl.unavailable(QUORUM, 2, 1));
    answers.put("UnknownOutcome", PrimeDsl.writeTimeout(QUORUM, 0, 1, WriteType.UNLOGGED_BATCH));
    answers.forEach(
        (outcome, answer) -> {
          wire.answer = versions -> versions.size() == 1 ? PrimeDsl.void_() : answer;
          wire.hold();
          List<CompletableFuture<Long>> all = writeAll(outcome, 1, 6);
          wire.release();
          assertThat(all.stream().map(PartitionWritesTest::outcome))
              .containsExactly("ok", "ok", outcome, outcome, outcome);
        });
  }

  @Test
  void batch_connectionCut_isUnknownToEachWrite() {
    wire.answer =
        versions ->
            versions.size() == 1
                ? PrimeDsl.void_()
                : PrimeDsl.closeConnection(Scope.CONNECTION, CloseType.DISCONNECT);
    wire.hold();
    List<CompletableFuture<Long>> all = writeAll("a", 1, 6);
    wire.release();
    assertThat(all.stream().map(PartitionWritesTest::outcome))
        .containsExactly("ok", "ok", "UnknownOutcome", "UnknownOutcome", "UnknownOutcome");
  }

  @Test
  void batch_unanswered_endsAtItsDeadline() {
    close();
    open("&timeout=10m");
    wire.answer = versions -> versions.size() == 1 ? PrimeDsl.void_() : PrimeDsl.noResult();
    wire.hold();
    List<CompletableFuture<Long>> all = new ArrayList<>();
    for (long version = 1; version < 6; version++) {
      all.add(write("a", version, Duration.ofSeconds(3), 8));
    }
    wire.release();
    assertThat(all.get(4).orTimeout(LONG.toSeconds(), TimeUnit.SECONDS))
        .failsWithin(LONG)
        .withThrowableThat()
        .withCauseInstanceOf(KvException.UnknownOutcome.class);
  }

  @Test
  void batch_refused_isSentRowByRow() {
    wire.answer = versions -> versions.contains(4L) ? PrimeDsl.invalid("wrong") : PrimeDsl.void_();
    wire.hold();
    List<CompletableFuture<Long>> all = writeAll("a", 1, 6);
    wire.release();
    assertThat(all.stream().map(PartitionWritesTest::outcome))
        .containsExactly("ok", "ok", "ok", "Permanent", "ok");
  }

  @Test
  void write_storeClosed_failsWithAllThatWait() {
    wire.hold();
    List<CompletableFuture<Long>> all = writeAll("a", 1, 1_001);
    requests.close();
    int sent =
        PartitionWrites.UNBATCHED_REQUESTS
            + (PartitionWrites.MAX_REQUESTS - PartitionWrites.UNBATCHED_REQUESTS)
                * PartitionWrites.MAX_ROWS;
    assertThat(all.subList(sent, all.size()))
        .allSatisfy(write -> assertThat(outcome(write)).isEqualTo("Permanent"));
    assertThat(outcome(all.get(0))).isNotEqualTo("ok");
  }

  @Test
  void write_tooManyWait_isRefusedHalfForOnePartition() {
    close();
    open("&maxQueued=8");
    wire.hold();
    List<CompletableFuture<Long>> all = new ArrayList<>(writeAll("a", 1, 7));
    assertThat(outcome(write("a", 7))).isEqualTo("Overloaded");
    all.addAll(writeAll("b", 11, 17));
    all.addAll(writeAll("c", 21, 23));
    Throwable full = catchThrowable(() -> await(write("c", 23)));
    assertThat(full).isInstanceOf(KvException.Overloaded.class).hasMessageContaining("maxQueued");
    wire.release();
    all.forEach(TestStores::await);
    wire.hold();
    List<CompletableFuture<Long>> again = writeAll("d", 41, 47);
    wire.release();
    again.forEach(TestStores::await);
    assertThat(wire.received).doesNotContain(List.of(7L), List.of(23L));
  }

  @Test
  void write_partitionUnanswered_getsOneRequestMore() {
    wire.hold();
    List<CompletableFuture<Long>> all = new ArrayList<>(writeAll("a", 1, 5));
    now.addAndGet(PartitionWrites.SILENCE_NANOS + 1);
    all.add(write("a", 5));
    all.add(write("a", 7));
    wire.release();
    all.forEach(TestStores::await);
    assertThat(wire.received)
        .containsExactly(List.of(1L), List.of(2L), versions(3, 6), List.of(7L));
  }
}
