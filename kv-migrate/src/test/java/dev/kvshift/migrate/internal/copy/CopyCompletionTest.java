package dev.kvshift.migrate.internal.copy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.migrate.api.CopyCounts;
import dev.kvshift.migrate.internal.ledger.CopyPlan;
import dev.kvshift.migrate.internal.ledger.CopyTask;
import dev.kvshift.migrate.internal.ledger.CopyTaskGroup;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.spi.Metadata;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.Store;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class CopyCompletionTest {
  private static final CopyTask OPEN = CopyTask.of(ScanTask.of(1, 2));
  private static final CopyTask DONE = OPEN.advance(null, CopyCounts.NONE);

  /** 33 tasks in three parts, as the format's first version has planned them. */
  private static final CopyPlan PLAN = new CopyPlan("", 33, 16);

  private final Store store = MemoryStoreProvider.open(UUID.randomUUID().toString());
  private final Reads reads = new Reads(store.metadata());
  private final Ledger ledger =
      new Ledger(reads, "files", Duration.ofSeconds(10), Clock.systemUTC());
  private Instant expiredBefore = Instant.parse("2026-12-04T05:54:43.126Z");
  private final CopyCompletion completion = new CopyCompletion(ledger, () -> expiredBefore);

  @AfterEach
  void close() {
    store.close();
  }

  @Test
  void isDone_notPlanned_isFalse() {
    ledger.put(PLAN.part(0), group(DONE, 16));

    assertThat(completion.isDone()).isFalse();
  }

  @Test
  void isDone_groupsEndOneByOne_isTrueAfterTheLast() {
    plan();

    ledger.put(PLAN.part(0), group(DONE, 16));
    assertThat(completion.isDone()).isFalse();
    ledger.put(PLAN.part(2), group(DONE, 1));
    assertThat(completion.isDone()).isFalse();
    ledger.put(PLAN.part(1), group(DONE, 16));
    assertThat(completion.isDone()).isTrue();
  }

  @Test
  void isDone_askedAgain_readsTheFirstOpenGroupOnly() {
    plan();
    ledger.put(PLAN.part(0), group(DONE, 16));
    completion.isDone();
    reads.take();

    completion.isDone();
    assertThat(reads.take()).containsExactly("migration/files/copy-tasks/00001");

    ledger.put(PLAN.part(1), group(DONE, 16));
    reads.take();
    completion.isDone();
    assertThat(reads.take())
        .containsExactly("migration/files/copy-tasks/00001", "migration/files/copy-tasks/00002");
  }

  @Test
  void getAsBoolean_rowsWereLeft_isTrueOnceTheLastHasExpired() {
    Instant last = expiredBefore;
    plan();
    ledger.put(PLAN.part(0), group(leaving(last), 16));
    ledger.put(PLAN.part(1), group(leaving(last.minusSeconds(1)), 16));
    assertThat(completion.getAsBoolean()).isFalse();
    ledger.put(PLAN.part(2), group(DONE, 1));

    expiredBefore = last.minusNanos(1);
    assertThat(completion.isDone()).isTrue();
    assertThat(completion.getAsBoolean()).isFalse();
    expiredBefore = last;
    assertThat(completion.getAsBoolean()).isTrue();
  }

  private static CopyTask leaving(Instant expiry) {
    CopyCounts.LeftToExpire left = new CopyCounts.LeftToExpire(1, expiry);
    return OPEN.advance(null, new CopyCounts(1, 0, new CopyCounts.Skipped(0, 0, left), 0, 0));
  }

  private void plan() {
    for (int group = 0; group < PLAN.parts(); group++) {
      ledger.put(PLAN.part(group), group(OPEN, Math.min(16, PLAN.tasks() - group * 16)));
    }
    ledger.put(CopyPlan.KEY, PLAN);
  }

  private static CopyTaskGroup group(CopyTask task, int count) {
    return new CopyTaskGroup(Collections.nCopies(count, task));
  }

  /** Remembers what is read. */
  private static final class Reads implements Metadata {
    private final Metadata real;
    private final List<String> names = new ArrayList<>();

    Reads(Metadata real) {
      this.real = real;
    }

    List<String> take() {
      List<String> taken = List.copyOf(names);
      names.clear();
      return taken;
    }

    @Override
    public CompletionStage<@Nullable Bytes> get(String name) {
      names.add(name);
      return real.get(name);
    }

    @Override
    public CompletionStage<Boolean> compareAndSet(
        String name, @Nullable Bytes expected, @Nullable Bytes value) {
      return real.compareAndSet(name, expected, value);
    }

    @Override
    public CompletionStage<SortedMap<String, Bytes>> list(String prefix, String after, int limit) {
      names.add(prefix);
      return real.list(prefix, after, limit);
    }
  }
}
