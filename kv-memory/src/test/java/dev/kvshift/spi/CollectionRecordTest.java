package dev.kvshift.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.spi.CollectionRecord.State;
import java.util.SortedMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class CollectionRecordTest {
  @Test
  void print_isTheWrittenForm_andParsesBack() {
    CollectionRecord active =
        new CollectionRecord(Layout.range(ShardRule.firstBits(8)), State.ACTIVE, 1_795L, 3);
    assertThat(active.print().toUtf8())
        .isEqualTo("v1 active floor=1795 incarnation=3 range;shard=bits=8;encoding=1");
    assertThat(CollectionRecord.parse("c", active.print())).isEqualTo(active);
    CollectionRecord importing = new CollectionRecord(Layout.point(), State.IMPORTING, 0, 1);
    assertThat(importing.print().toUtf8())
        .isEqualTo("v1 importing floor=0 incarnation=1 point;shard=none;encoding=1");
    assertThat(CollectionRecord.parse("c", importing.print())).isEqualTo(importing);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "v2 active floor=0 incarnation=1 point;shard=none;encoding=1",
        "v1 sleeping floor=0 incarnation=1 point;shard=none;encoding=1",
        "v1 active floor=-1 incarnation=1 point;shard=none;encoding=1",
        "v1 active floor=99999999999999999999 incarnation=1 point;shard=none;encoding=1",
        "v1 active floor=9999999999999999999 incarnation=1 point;shard=none;encoding=1",
        "v1 active floor=0 incarnation=1 oblong;shard=none;encoding=1",
        "v1 active floor=0 incarnation=1 range;shard=bits=99;encoding=1"
      })
  void parse_unknownForm_isPermanent(String text) {
    assertThatThrownBy(() -> CollectionRecord.parse("files", Bytes.utf8(text)))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("files");
  }

  /** Claims of which the first compare-and-sets end unknown, applied or not. */
  private record Unsure(Metadata metadata, boolean applied, AtomicInteger unknown)
      implements Metadata {
    @Override
    public CompletionStage<@Nullable Bytes> get(String name) {
      return metadata.get(name);
    }

    @Override
    public CompletionStage<SortedMap<String, Bytes>> list(String prefix, String after, int limit) {
      return metadata.list(prefix, after, limit);
    }

    @Override
    public CompletionStage<Boolean> compareAndSet(
        String name, @Nullable Bytes expected, @Nullable Bytes next) {
      if (unknown.getAndDecrement() <= 0) {
        return metadata.compareAndSet(name, expected, next);
      }
      KvException error = new KvException.UnknownOutcome("lost", null);
      return (applied
              ? metadata.compareAndSet(name, expected, next)
              : CompletableFuture.completedFuture(false))
          .thenCompose(done -> CompletableFuture.failedFuture(error));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void claim_unknownOutcomes_areResolvedByReadingAgain(boolean applied) {
    try (Store store = MemoryStoreProvider.open("claims-" + applied)) {
      Unsure unsure = new Unsure(store.metadata(), applied, new AtomicInteger(3));
      CollectionRecord claimed =
          CollectionRecord.claim(unsure, "files", Layout.point(), Claim.IMPORTING)
              .toCompletableFuture()
              .join();
      assertThat(claimed)
          .isEqualTo(new CollectionRecord(Layout.point(), State.IMPORTING, 0, 1))
          .isEqualTo(CollectionRecord.read(store.metadata(), "files").toCompletableFuture().join());
    }
  }

  @Test
  void claim_outcomesUnknownForEver_isUnknown() {
    try (Store store = MemoryStoreProvider.open("claims-for-ever")) {
      Unsure unsure = new Unsure(store.metadata(), false, new AtomicInteger(99));
      assertThatThrownBy(
              () ->
                  CollectionRecord.claim(unsure, "files", Layout.point(), Claim.ACTIVE)
                      .toCompletableFuture()
                      .join())
          .hasCauseInstanceOf(KvException.UnknownOutcome.class);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"a", "files", "a-1", "a2345678901234567890123456789012", "files_shards"})
  void requireName_goodName_isGivenBack(String name) {
    assertThat(CollectionRecord.requireName(name)).isEqualTo(name);
  }
}
