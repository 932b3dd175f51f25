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
  private static final Copy COPY = Copy.parse("0123456789abcdef0123456789abcdef@test");

  @ParameterizedTest
  @ValueSource(
      strings = {
        "v1 active floor=0 incarnation=1 point;shard=none;encoding=1",
        "v1 active floor=1795 incarnation=3 range;shard=bits=8;encoding=1",
        "v1 importing floor=0 incarnation=1 point;shard=none;encoding=1",
        "v1 importing floor=0 incarnation=2 copy=0123456789abcdef0123456789abcdef@test"
            + " point;shard=none;encoding=1",
        "v1 active floor=7 incarnation=1 copy=0123456789abcdef0123456789abcdef@test later=x"
            + " point;shard=none;encoding=1"
      })
  void parse_writtenForm_printsTheSame(String text) {
    assertThat(CollectionRecord.parse("c", Bytes.utf8(text)).print().toUtf8()).isEqualTo(text);
  }

  @Test
  void parse_members_areThoseOfTheText() {
    CollectionRecord record =
        CollectionRecord.parse(
            "c",
            Bytes.utf8(
                "v1 active floor=1795 incarnation=3 copy="
                    + COPY
                    + " range;shard=bits=8;encoding=1"));
    assertThat(record.layout()).isEqualTo(Layout.range(ShardRule.firstBits(8)));
    assertThat(record.state()).isEqualTo(State.ACTIVE);
    assertThat(record.floor()).isEqualTo(1_795);
    assertThat(record.incarnation()).isEqualTo(3);
    assertThat(record.copy()).isEqualTo(COPY);
    assertThat(record.isHandedOver()).isTrue();
    assertThat(CollectionRecord.live(Layout.point()).isHandedOver()).isFalse();
    assertThat(CollectionRecord.importing(Layout.point(), COPY).isHandedOver()).isFalse();
  }

  @Test
  void activate_membersOfANewerVersion_isPermanentAndKeepsThem() {
    String newer =
        "v1 importing floor=0 incarnation=1 copy=" + COPY + " later=x point;shard=none;encoding=1";
    try (Store store = MemoryStoreProvider.open("newer-record")) {
      Metadata metadata = store.metadata();
      String name = CollectionRecord.metadataName("files");
      metadata.compareAndSet(name, null, Bytes.utf8(newer)).toCompletableFuture().join();
      assertThatThrownBy(
              () ->
                  CollectionRecord.activate(metadata, "files", COPY, 7)
                      .toCompletableFuture()
                      .join())
          .hasCauseInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("later=x");
      assertThat(metadata.get(name).toCompletableFuture().join()).isEqualTo(Bytes.utf8(newer));
    }
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
          CollectionRecord.claim(unsure, "files", Layout.point(), Claim.importing(COPY))
              .toCompletableFuture()
              .join();
      assertThat(claimed)
          .isEqualTo(CollectionRecord.importing(Layout.point(), COPY))
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
  @ValueSource(
      strings = {
        "a",
        "files",
        "a-1",
        "a2345678901234567890123456789012",
        "files_shards",
        "my-files_shards",
        "user_profile",
        "user_profile_shards",
        "a_"
      })
  void requireName_goodName_isGivenBack(String name) {
    assertThat(CollectionRecord.requireName(name)).isEqualTo(name);
    if (name.endsWith("_shards")) {
      assertThatThrownBy(() -> CollectionRecord.requireOwnName(name))
          .isInstanceOf(KvException.InvalidArgument.class)
          .hasMessageContaining("_shards");
    } else {
      assertThat(CollectionRecord.requireOwnName(name)).isEqualTo(name);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "_a", "User", "user-profile_x", "a.b", "a23456789012345678901234567890123"})
  void requireName_wrongName_isRefused(String name) {
    assertThatThrownBy(() -> CollectionRecord.requireName(name))
        .isInstanceOf(KvException.InvalidArgument.class)
        .hasMessageContaining("'" + name + "'");
  }
}
