package dev.kvshift.legacy.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.KvException;
import dev.kvshift.legacy.server.internal.admission.MemoryBudget;
import dev.kvshift.legacy.wire.Reply;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Tests of sessions: repeated mutations are applied once, late ones are refused. */
class SessionsTest {
  private static final long MEMORY = 64L << 20;

  private final MemoryBudget memory = new MemoryBudget(MEMORY);
  private final Sessions sessions = new Sessions(memory);
  private final List<String> ended = new ArrayList<>();
  private int done;

  private CompletableFuture<Reply> mutation() {
    done++;
    return CompletableFuture.completedFuture(Reply.newBuilder().setNumber(done).build());
  }

  private Sessions.Attachment attach(long id, Long... unsettled) {
    return sessions.attach(id, List.of(unsettled), () -> ended.add("stream of " + id));
  }

  @Test
  void once_sentAgainOnANewStream_givesWhatTheFirstGave() {
    Sessions.Attachment first = attach(7);
    first.once(1, this::mutation);

    Sessions.Attachment second = attach(7, 1L);

    assertThat(first.isResumed()).isFalse();
    assertThat(second.isResumed()).isTrue();
    assertThat(ended).containsExactly("stream of 7");
    assertThat(second.once(1, this::mutation).join().getNumber()).isEqualTo(1);
    assertThat(done).isEqualTo(1);
  }

  @Test
  void once_otherSession_isItsOwn() {
    attach(7).once(1, this::mutation);
    attach(8).once(1, this::mutation);

    assertThat(done).isEqualTo(2);
    assertThat(ended).isEmpty();
  }

  @Test
  void once_closedSession_isRefusedAlsoFromAStreamThatComesLate() {
    Sessions.Attachment session = attach(7);
    session.once(1, this::mutation);
    sessions.close(7);

    assertThatThrownBy(() -> session.once(2, this::mutation).join())
        .hasCauseInstanceOf(KvException.Permanent.class);
    assertThatThrownBy(() -> session.once(1, this::mutation).join())
        .hasCauseInstanceOf(KvException.Permanent.class);
    assertThatThrownBy(() -> attach(7, 1L)).isInstanceOf(KvException.Permanent.class);
    assertThat(done).isEqualTo(1);
  }

  @Test
  void once_replacedStream_doesNotApplyASettledMutationAgain() {
    Sessions.Attachment replaced = attach(7);
    Sessions.Attachment newer = attach(7, 1L);
    newer.once(1, this::mutation);
    newer.settle(List.of(1L));

    assertThatThrownBy(() -> replaced.once(1, this::mutation).join())
        .hasCauseInstanceOf(KvException.Transient.class);
    assertThat(done).isEqualTo(1);
  }

  @Test
  void settle_replacedStream_leavesTheOutcomesOfTheNewerOne() {
    Sessions.Attachment replaced = attach(7);
    Sessions.Attachment newer = attach(7);
    newer.once(1, this::mutation);

    replaced.settle(List.of(1L));

    assertThat(newer.once(1, this::mutation).join().getNumber()).isEqualTo(1);
    assertThat(done).isEqualTo(1);
  }

  @Test
  void once_endedStream_isRefused() {
    Sessions.Attachment ended = attach(7);
    ended.detach();

    assertThatThrownBy(() -> ended.once(1, this::mutation).join())
        .hasCauseInstanceOf(KvException.Transient.class);
    assertThat(done).isZero();
  }

  @Test
  void once_tooManyUnsettled_isTransientUntilSomeSettle() {
    Sessions.Attachment session = attach(7);
    for (long sequence = 1; sequence <= Sessions.MAX_UNSETTLED; sequence++) {
      session.once(sequence, this::mutation);
    }
    long next = Sessions.MAX_UNSETTLED + 1L;

    assertThatThrownBy(() -> session.once(next, this::mutation).join())
        .hasCauseInstanceOf(KvException.Transient.class);
    session.settle(List.of(5L));

    assertThat(session.once(next, this::mutation)).isCompleted();
    assertThat(done).isEqualTo(Sessions.MAX_UNSETTLED + 1);
  }

  @Test
  void once_outcomes_takeMemoryUntilTheySettle() {
    Sessions.Attachment session = attach(7);
    Reply large = Reply.newBuilder().setText("x".repeat(1 << 20)).build();
    session.once(1, () -> CompletableFuture.completedFuture(large));
    session.once(2, this::mutation);
    session.once(3, () -> CompletableFuture.failedFuture(new KvException.Transient("no")));

    assertThat(memory.usedBytes())
        .isEqualTo(3 * Sessions.OUTCOME_BYTES + large.getSerializedSize() + Sessions.ERROR_BYTES);

    session.settle(List.of(1L));
    assertThat(memory.usedBytes()).isEqualTo(2 * Sessions.OUTCOME_BYTES + Sessions.ERROR_BYTES);
    attach(7, 2L);
    assertThat(memory.usedBytes()).isEqualTo(Sessions.OUTCOME_BYTES);
    sessions.close(7);
    assertThat(memory.usedBytes()).isZero();
  }

  @Test
  void once_withoutMemoryForTheOutcome_isOverloadedAndDoesNothing() {
    MemoryBudget.Account others = memory.account();
    others.take(MEMORY);
    Sessions.Attachment session = attach(7);

    assertThatThrownBy(() -> session.once(1, this::mutation).join())
        .hasCauseInstanceOf(KvException.Overloaded.class);
    assertThat(done).isZero();

    others.give(MEMORY);
    assertThat(session.once(1, this::mutation)).isCompleted();
    assertThat(memory.usedBytes()).isEqualTo(Sessions.OUTCOME_BYTES);
  }

  @Test
  void once_answerTooLargeToKeep_isReturnedOnceThenUnknown() {
    Sessions.Attachment session = attach(7);
    CompletableFuture<Reply> late = new CompletableFuture<>();
    CompletableFuture<Reply> first = session.once(1, () -> late);
    MemoryBudget.Account others = memory.account();
    others.take(MEMORY - (1 << 20));

    late.complete(Reply.newBuilder().setText("x".repeat(1 << 20)).build());

    assertThat(first).isCompleted();
    assertThatThrownBy(() -> session.once(1, this::mutation).join())
        .hasCauseInstanceOf(KvException.UnknownOutcome.class);
    assertThat(done).isZero();
    session.settle(List.of(1L));
    assertThat(memory.usedBytes()).isEqualTo(MEMORY - (1 << 20));
  }

  @Test
  void collectionsOfASession_takeMemoryOnceEach() {
    Sessions.Attachment session = attach(7);
    session.report(Set.of("files"));
    session.report(Set.of("files", "other"));
    session.noted(1);
    session.noted(1);

    assertThat(memory.usedBytes()).isEqualTo(3 * Sessions.USE_BYTES);
    assertThat(session.hasReported("other")).isTrue();
    assertThat(session.isNoteDue(1)).isFalse();

    session.detach();
    session.noted(1);
    assertThat(memory.usedBytes()).isEqualTo(2 * Sessions.USE_BYTES);
    assertThat(session.isNoteDue(1)).isTrue();
  }

  @Test
  void attach_tooManySessions_isTransient() {
    for (long id = 0; id < Sessions.MAX_SESSIONS; id++) {
      attach(id);
    }

    assertThatThrownBy(() -> attach(Sessions.MAX_SESSIONS))
        .isInstanceOf(KvException.Transient.class);
  }
}
