package dev.kvshift.migrate.internal.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.migrate.api.CopyCounts;
import dev.kvshift.migrate.api.Failure;
import dev.kvshift.migrate.internal.ledger.CopyPlan;
import dev.kvshift.migrate.internal.ledger.CopyTask;
import dev.kvshift.migrate.internal.ledger.CopyTaskGroup;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.TaskState;
import dev.kvshift.spi.Metadata;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.Store;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.SortedMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Two processes and one task, on clocks that a test moves and a store that answers late. */
final class HeldTaskTest {
  private static final Duration LEASE = Duration.ofSeconds(10);
  private static final HeldTask.Task<CopyTaskGroup> TASK =
      new HeldTask.Task<>(CopyPlan.of("plan", 1).part(0), "part 0 of the copy of collection files");
  private static final CopyTaskGroup WANTED =
      new CopyTaskGroup(List.of(CopyTask.of(ScanTask.of(1, 2))));

  private final Store store = MemoryStoreProvider.open(UUID.randomUUID().toString());
  private final Slow metadata = new Slow(store.metadata());
  private final Ledger ledger =
      new Ledger(metadata, "files", Duration.ofMillis(1), Clock.systemUTC());
  private final ManualClock clockOfA = new ManualClock(Long.MAX_VALUE - 1);
  private final ManualClock clockOfB = new ManualClock(-7);
  private final Holder a = new Holder("a", LEASE, clockOfA);
  private final Holder b = new Holder("b", LEASE, clockOfB);

  HeldTaskTest() {
    ledger.put(TASK.key(), WANTED);
  }

  @AfterEach
  void close() {
    store.close();
  }

  @Test
  void take_wantedTask_isRunningInItsFirstAttempt() {
    HeldTask<CopyTaskGroup> held = take(a, WANTED);

    assertThat(found().state())
        .isEqualTo(new TaskState(TaskState.Status.RUNNING, "a", 1, 0, LEASE, 0, "", null));
    assertThat(held.record()).isEqualTo(found());
  }

  @Test
  void take_recordThatHasChangedSinceItWasJudged_takesNothing() {
    take(a, WANTED);

    assertThat(HeldTask.take(ledger, TASK, WANTED, b)).isNull();
    assertThat(found().state().owner()).isEqualTo("a");
  }

  @Test
  void isExpired_leaseCountsFromBeforeTheRequest_exactAtItsBound() {
    metadata.beforeAnswer = () -> clockOfA.advance(Duration.ofSeconds(4));
    HeldTask<CopyTaskGroup> held = take(a, WANTED);
    metadata.beforeAnswer = () -> {};

    assertThat(held.isExpired()).isFalse();
    clockOfA.advanceTo(held, LEASE.toNanos() - 1);
    assertThat(held.isExpired()).isFalse();
    clockOfA.advanceTo(held, LEASE.toNanos());
    assertThat(held.isExpired()).isTrue();
  }

  @Test
  void renew_answerComesLate_leaseCountsFromTheRequest() {
    HeldTask<CopyTaskGroup> held = take(a, WANTED);
    long renewedAt = clockOfA.nanos;
    metadata.beforeAnswer =
        () -> {
          clockOfA.advance(LEASE);
          metadata.beforeAnswer = () -> {};
        };
    held.renew();

    assertThat(clockOfA.nanos - renewedAt).isEqualTo(LEASE.toNanos());
    assertThat(held.isExpired()).isTrue();
  }

  @Test
  void require_leaseNotOver_asksNobody() {
    HeldTask<CopyTaskGroup> held = take(a, WANTED);
    metadata.failing = true;
    clockOfA.advance(LEASE.minusNanos(1));

    held.require();
  }

  @Test
  void require_leaseOverAndNobodyElseCame_goesOnWithARenewedLease() {
    HeldTask<CopyTaskGroup> held = take(a, WANTED);
    clockOfA.advance(LEASE);

    held.require();

    assertThat(held.isExpired()).isFalse();
    assertThat(found().state().renewal()).isEqualTo(1);
  }

  @Test
  void require_leaseOverAndStoreDoesNotAnswer_fails() {
    HeldTask<CopyTaskGroup> held = take(a, WANTED);
    clockOfA.advance(LEASE);
    metadata.failing = true;

    assertThatThrownBy(held::require).isInstanceOf(KvException.Transient.class);
  }

  @Test
  void save_ownerThatSleptOverItsLease_changesNothingOfTheNextOwners() {
    HeldTask<CopyTaskGroup> slept = take(a, WANTED);
    HeldTask<CopyTaskGroup> next = take(b, found());
    next.save(copied(7));
    CopyTaskGroup before = found();

    assertThatThrownBy(() -> slept.save(copied(3)))
        .isInstanceOf(TaskLost.class)
        .hasMessageStartingWith(
            "another runner has taken part 0 of the copy of collection files, so this one ends");
    assertThatThrownBy(slept::renew).isInstanceOf(TaskLost.class);
    assertThatThrownBy(() -> slept.end(TaskState::done)).isInstanceOf(TaskLost.class);
    assertThatThrownBy(slept::require).isInstanceOf(TaskLost.class);
    assertThat(found()).isEqualTo(before);
  }

  @Test
  void save_sameProcessInALaterAttempt_refusesTheEarlierOne() {
    HeldTask<CopyTaskGroup> first = take(a, WANTED);
    HeldTask<CopyTaskGroup> second = take(a, found());

    assertThatThrownBy(() -> first.save(copied(3))).isInstanceOf(TaskLost.class);
    second.save(copied(4));
    assertThat(found().counts().read()).isEqualTo(4);
  }

  @Test
  void end_byTheFormerOwner_doesNotEndTheNextAttempt() {
    HeldTask<CopyTaskGroup> former = take(a, WANTED);
    former.end(TaskState::handedOver);
    HeldTask<CopyTaskGroup> next = take(b, found());

    assertThatThrownBy(() -> former.end(TaskState::done)).isInstanceOf(TaskLost.class);
    assertThatThrownBy(former::renew).isInstanceOf(TaskLost.class);
    assertThat(found().state()).isEqualTo(next.record().state());
  }

  @Test
  void save_unknownOutcomeThatWasApplied_isNotTakenForAnotherOwner() {
    HeldTask<CopyTaskGroup> held = take(a, WANTED);
    metadata.loseAnswers = true;
    assertThatThrownBy(() -> held.save(copied(3))).isInstanceOf(KvException.UnknownOutcome.class);
    metadata.loseAnswers = false;
    assertThat(found().counts().read()).isEqualTo(3);

    held.save(copied(5));

    assertThat(found().counts().read()).isEqualTo(5);
  }

  @Test
  void save_afterFailures_endsTheirRow() {
    HeldTask<CopyTaskGroup> failing = take(a, WANTED);
    failing.end(state -> state.failed("first"));
    HeldTask<CopyTaskGroup> again = take(a, found());
    assertThat(again.record().state().failures()).isEqualTo(1);
    assertThat(again.record().state().reason()).isEqualTo("first");

    again.save(copied(1));

    assertThat(found().state().failures()).isZero();
    assertThat(found().state().reason()).isEmpty();
  }

  @Test
  void renew_afterFailures_keepsTheirRow() {
    take(a, WANTED).end(state -> state.failed("first"));
    HeldTask<CopyTaskGroup> again = take(a, found());

    again.renew();

    assertThat(found().state().failures()).isEqualTo(1);
  }

  @Test
  void attempt_overEveryEnd_neverGoesBack() {
    take(a, WANTED).end(TaskState::handedOver);
    take(b, found()).end(state -> state.failed("why"));
    take(a, found()).end(TaskState::done);
    ledger.updatePresent(TASK.key(), record -> record.with(record.state().askedAgain()));
    take(b, found()).end(state -> state.failedForGood(Failure.WRONG, "why"));
    ledger.updatePresent(TASK.key(), record -> record.with(record.state().askedAgain()));

    assertThat(found().state())
        .isEqualTo(new TaskState(TaskState.Status.WANTED, "b", 4, 0, LEASE, 0, "", null));
  }

  @Test
  void askedAgain_taskThatRuns_staysAsItIs() {
    take(a, WANTED);

    assertThat(found().state().askedAgain()).isEqualTo(found().state());
  }

  private HeldTask<CopyTaskGroup> take(Holder holder, CopyTaskGroup judged) {
    return Objects.requireNonNull(HeldTask.take(ledger, TASK, judged, holder));
  }

  private CopyTaskGroup found() {
    return ledger.require(TASK.key());
  }

  private static CopyTaskGroup copied(long rows) {
    CopyCounts page = new CopyCounts(rows, rows, new CopyCounts.Skipped(0, 0), 0, rows);
    return WANTED.with(0, WANTED.tasks().get(0).advance(Bytes.utf8("at"), page));
  }

  private static final class ManualClock implements LongSupplier {
    private final long start;
    private long nanos;

    ManualClock(long start) {
      this.start = start;
      this.nanos = start;
    }

    void advance(Duration time) {
      nanos += time.toNanos();
    }

    /** Goes to a time after the clock's start, at which the task was taken. */
    void advanceTo(HeldTask<?> taken, long afterStart) {
      assertThat(taken.record().state().renewal()).isZero();
      nanos = start + afterStart;
    }

    @Override
    public long getAsLong() {
      return nanos;
    }
  }

  /** Answers when the test wants it: late, not at all, or with the outcome lost. */
  private static final class Slow implements Metadata {
    private final Metadata real;
    private Runnable beforeAnswer = () -> {};
    private boolean failing;
    private boolean loseAnswers;

    Slow(Metadata real) {
      this.real = real;
    }

    @Override
    public CompletionStage<@Nullable Bytes> get(String name) {
      return failing
          ? CompletableFuture.failedFuture(new KvException.Transient("down"))
          : real.get(name);
    }

    @Override
    public CompletionStage<SortedMap<String, Bytes>> list(String prefix, String after, int limit) {
      return real.list(prefix, after, limit);
    }

    @Override
    public CompletionStage<Boolean> compareAndSet(
        String name, @Nullable Bytes expected, @Nullable Bytes next) {
      CompletionStage<Boolean> answer = real.compareAndSet(name, expected, next);
      beforeAnswer.run();
      return loseAnswers
          ? CompletableFuture.failedFuture(new KvException.UnknownOutcome("lost"))
          : answer;
    }
  }
}
