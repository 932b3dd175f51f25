package dev.kvshift.model.shard;

import static dev.kvshift.testkit.concurrent.Await.join;
import static dev.kvshift.testkit.fixture.TestCopy.COPY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Continuation;
import dev.kvshift.api.Entry;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Outcome;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.model.Seeds;
import dev.kvshift.model.shard.HookedStore.Kind;
import dev.kvshift.model.shard.HookedStore.Request;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Writers that die or fail between the directory row and the entry. */
class DirectoryCrashTest {
  private static final Layout LAYOUT = Layout.parse("range;shard=bits=16;encoding=0");
  private static final Bytes MAIN = Bytes.utf8("main");
  private static final Bytes VALUE = Bytes.utf8("value");
  private static final int CRASHES = 5_000;

  private final Store memory = MemoryStoreProvider.open("directory-crash-test");

  @AfterEach
  void close() {
    memory.close();
  }

  @Test
  void put_writersDieAnywhere_noAcknowledgedEntryIsLostFromARange() throws Exception {
    Seeds.run(
        0,
        random -> {
          Set<Bytes> acknowledged = new HashSet<>();
          for (int crash = 0; crash < CRASHES; crash++) {
            int writesLeft = random.nextInt(5);
            KvCollection writer = through(new Dying(random, writesLeft));
            for (int i = 0; i < 4; i++) {
              Bytes clustering = key(random);
              CompletableFuture<?> put =
                  writer
                      .async()
                      .put(Key.of(MAIN, clustering), VALUE, WriteOptions.none())
                      .toCompletableFuture();
              if (!put.isDone()) {
                break;
              }
              put.join();
              acknowledged.add(clustering);
            }
            if (crash % 100 == 0) {
              assertThat(readAll()).containsAll(acknowledged);
            }
          }
          assertThat(readAll()).containsAll(acknowledged);
          assertThat(acknowledged).hasSizeGreaterThan(CRASHES / 2);
        });
  }

  @Test
  void put_writesFailAtRandom_acknowledgedEntriesStay() throws Exception {
    Seeds.run(
        1,
        random -> {
          KvCollection writer = through(new Failing(random));
          KvCollection reader = through(new Passing());
          Set<Bytes> written = new HashSet<>();
          for (int i = 0; i < CRASHES; i++) {
            Bytes clustering = key(random);
            try {
              writer.put(Key.of(MAIN, clustering), VALUE);
              written.add(clustering);
            } catch (KvException.Transient certain) {
              assertThat(reader.get(Key.of(MAIN, clustering)).isPresent())
                  .isEqualTo(written.contains(clustering));
            } catch (KvException.UnknownOutcome unknown) {
              if (reader.get(Key.of(MAIN, clustering)).isPresent()) {
                written.add(clustering);
              }
            }
          }
          assertThat(readAll()).isEqualTo(written);
        });
  }

  @Test
  void put_directoryOutcomeUnknown_isTransientAndSendsNoEntry() {
    KvCollection writer =
        through(
            new Passing() {
              @Override
              public <T extends @Nullable Object> CompletionStage<T> run(
                  Request request, Supplier<CompletionStage<T>> body) {
                return request.isOfDirectory()
                    ? CompletableFuture.failedFuture(new KvException.UnknownOutcome("cut"))
                    : body.get();
              }
            });
    assertThatThrownBy(() -> writer.put(Key.of(MAIN, VALUE), VALUE))
        .isInstanceOf(KvException.Transient.class)
        .hasMessage(
            "collection crashed: the shard's directory row was not acknowledged, so the entry was"
                + " not written: try again")
        .hasCauseInstanceOf(KvException.UnknownOutcome.class);
    assertThat(through(new Passing()).get(Key.of(MAIN, VALUE))).isEmpty();
  }

  /** The row of one new shard fails, and the row of the other arrives late. */
  @Test
  void putAll_shardsAreNew_sendsEntriesOnlyBehindTheRowOfTheirShard() {
    CompletableFuture<Void> late = new CompletableFuture<>();
    List<String> sent = new ArrayList<>();
    KvCollection writer =
        through(
            new Passing() {
              @Override
              public <T extends @Nullable Object> CompletionStage<T> run(
                  Request request, Supplier<CompletionStage<T>> body) {
                Bytes shard = request.key().shard();
                if (!request.isOfDirectory()) {
                  sent.add("entry " + shard.concat(request.key().clustering()).toHex());
                  return body.get();
                }
                sent.add("row " + request.key().clustering().toHex());
                return request.key().clustering().equals(Bytes.fromHex("0001"))
                    ? CompletableFuture.failedFuture(new KvException.UnknownOutcome("cut"))
                    : late.thenCompose(now -> body.get());
              }
            });
    Map<Key, Bytes> entries = new LinkedHashMap<>();
    for (String clustering : List.of("000101", "000201", "000102", "000202")) {
      entries.put(Key.of(MAIN, Bytes.fromHex(clustering)), VALUE);
    }
    CompletableFuture<Map<Key, Outcome<@Nullable Void>>> put =
        writer.async().putAll(entries, WriteOptions.none()).toCompletableFuture();
    assertThat(sent).containsExactly("row 0001", "row 0002");
    late.complete(null);
    Map<Key, Outcome<@Nullable Void>> outcomes = put.join();
    assertThat(sent)
        .containsExactly("row 0001", "row 0002", "entry 0002000201", "entry 0002000202");
    assertThat(readAll())
        .containsExactlyInAnyOrder(Bytes.fromHex("000201"), Bytes.fromHex("000202"));
    outcomes.forEach(
        (key, outcome) -> {
          if (key.clustering().startsWith(Bytes.fromHex("0002"))) {
            assertThat(outcome).isEqualTo(Outcome.<@Nullable Void>ok(null));
          } else {
            assertThatThrownBy(outcome::orThrow).isExactlyInstanceOf(KvException.Transient.class);
          }
        });
    sent.clear();
    Key known = Key.of(MAIN, Bytes.fromHex("000203"));
    Key beside = Key.of(MAIN, Bytes.fromHex("000204"));
    writer.putAll(Map.of(known, VALUE, beside, VALUE)).values().forEach(Outcome::orThrow);
    assertThat(sent).containsExactlyInAnyOrder("entry 0002000203", "entry 0002000204");
  }

  @Test
  void put_secondInAShard_writesNoDirectoryRow() {
    CountingWrites counting = new CountingWrites();
    KvCollection writer = through(counting);
    writer.put(Key.of(MAIN, Bytes.fromHex("000101")), VALUE);
    writer.put(Key.of(MAIN, Bytes.fromHex("000102")), VALUE);
    writer.put(Key.of(MAIN, Bytes.fromHex("000201")), VALUE);
    assertThat(counting.directoryWrites).isEqualTo(2);
  }

  @Test
  void put_shardSeenByAReader_writesNoDirectoryRow() {
    through(new Passing()).put(Key.of(MAIN, Bytes.fromHex("000101")), VALUE);
    CountingWrites counting = new CountingWrites();
    KvCollection writer = through(counting);
    writer.getRange(MAIN, Range.all(), PageLimit.entries(1));
    writer.put(Key.of(MAIN, Bytes.fromHex("000102")), VALUE);
    assertThat(counting.directoryWrites).isZero();
  }

  @Test
  void wipe_underWarmCaches_losesNoEntryOfTheNewLife() throws Exception {
    Seeds.run(
        2,
        random -> {
          for (int life = 1; life <= 50; life++) {
            KvCollection stale = through(new Passing());
            for (int i = 0; i < 5; i++) {
              stale.put(Key.of(MAIN, key(random)), VALUE);
            }
            wipe(life);
            assertThatThrownBy(() -> stale.put(Key.of(MAIN, key(random)), VALUE))
                .isInstanceOf(KvException.Permanent.class);
            KvCollection fresh = through(new Passing());
            Set<Bytes> acknowledged = new HashSet<>();
            for (int i = 0; i < 5; i++) {
              Bytes clustering = key(random);
              fresh.put(Key.of(MAIN, clustering), VALUE);
              acknowledged.add(clustering);
            }
            assertThat(readAll()).isEqualTo(acknowledged);
          }
        });
  }

  @Test
  void wipe_seenBetweenItsSteps_neverPutsEntriesBeforeTheirDirectory() {
    through(new Passing()).put(Key.of(MAIN, VALUE), VALUE);
    raise(1);
    KvCollection between = through(new Passing());
    between.put(Key.of(MAIN, Bytes.fromHex("000102")), VALUE);
    join(new ShardedStore(memory).drop("crashed", 1));
    between.put(Key.of(MAIN, Bytes.fromHex("000103")), VALUE);
    assertThat(readAll()).containsExactly(Bytes.fromHex("000102"), Bytes.fromHex("000103"));
  }

  @Test
  void activate_importedCollection_opensItsDirectoryToo() {
    ShardedStore sharded = new ShardedStore(memory);
    StoreCollection imported = join(sharded.open("crashed", LAYOUT, Claim.importing(COPY)));
    join(
        imported.write(
            StoreKey.of(MAIN, VALUE),
            Mutation.put(VALUE).withVersion(5L),
            Call.within(Duration.ofSeconds(10))));
    assertThatThrownBy(() -> through(new Passing()))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("is being imported by a migration");
    join(sharded.activate("crashed", COPY, 7));
    assertThat(join(sharded.activate("crashed", COPY, 7)))
        .isEqualTo(CollectionRecord.importing(LAYOUT, COPY).activated(7));
    assertThat(readAll()).containsExactly(VALUE);
  }

  private void wipe(long incarnation) {
    raise(incarnation);
    join(new ShardedStore(memory).drop("crashed", incarnation));
  }

  private void raise(long incarnation) {
    CollectionRecord now = CollectionRecord.live(LAYOUT).withIncarnation(incarnation);
    CollectionRecord next = CollectionRecord.live(LAYOUT).withIncarnation(incarnation + 1);
    assertThat(
            join(
                memory
                    .metadata()
                    .compareAndSet(
                        CollectionRecord.metadataName("crashed"), now.print(), next.print())))
        .isTrue();
  }

  private Set<Bytes> readAll() {
    KvCollection reader = through(new Passing());
    Set<Bytes> all = new HashSet<>();
    Continuation next = null;
    do {
      var page = reader.getRange(MAIN, Range.all(), PageLimit.entries(500), next);
      page.entries().stream().map(Entry::clustering).forEach(all::add);
      next = page.next();
    } while (next != null);
    return all;
  }

  private KvCollection through(HookedStore.Hook hook) {
    return KvStore.over(new ShardedStore(new HookedStore(memory, hook)))
        .collection("crashed", LAYOUT);
  }

  private static Bytes key(Random random) {
    return Bytes.of((byte) random.nextInt(8), (byte) random.nextInt(256), (byte) random.nextInt());
  }

  private static class Passing implements HookedStore.Hook {
    @Override
    public <T extends @Nullable Object> CompletionStage<T> run(
        Request request, Supplier<CompletionStage<T>> body) {
      return body.get();
    }
  }

  private static final class CountingWrites extends Passing {
    int directoryWrites;

    @Override
    public <T extends @Nullable Object> CompletionStage<T> run(
        Request request, Supplier<CompletionStage<T>> body) {
      if (request.isOfDirectory() && request.kind() == Kind.WRITE) {
        directoryWrites++;
      }
      return super.run(request, body);
    }
  }

  /** Serves some writes, applies or loses one more, and never answers again. */
  private static final class Dying extends Passing {
    private final Random random;
    private int writesLeft;

    Dying(Random random, int writesLeft) {
      this.random = random;
      this.writesLeft = writesLeft;
    }

    @Override
    public <T extends @Nullable Object> CompletionStage<T> run(
        Request request, Supplier<CompletionStage<T>> body) {
      if (writesLeft > 0) {
        writesLeft--;
        return body.get();
      }
      CompletableFuture<T> never = new CompletableFuture<>();
      if (writesLeft < 0 || random.nextBoolean()) {
        return never;
      }
      writesLeft = -1;
      return body.get().thenCompose(done -> never);
    }
  }

  /** Fails some writes, applied or not. */
  private static final class Failing extends Passing {
    private final Random random;

    Failing(Random random) {
      this.random = random;
    }

    @Override
    public <T extends @Nullable Object> CompletionStage<T> run(
        Request request, Supplier<CompletionStage<T>> body) {
      if (request.kind() != Kind.WRITE || random.nextInt(3) > 0) {
        return body.get();
      }
      return switch (random.nextInt(3)) {
        case 0 -> CompletableFuture.failedFuture(new KvException.Transient("refused"));
        case 1 -> CompletableFuture.failedFuture(new KvException.UnknownOutcome("lost"));
        default ->
            body.get()
                .thenCompose(
                    done ->
                        CompletableFuture.failedFuture(
                            new KvException.UnknownOutcome("answer lost")));
      };
    }
  }
}
