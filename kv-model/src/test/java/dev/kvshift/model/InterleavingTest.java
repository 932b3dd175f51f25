package dev.kvshift.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Every order in which the requests of two writers and a reader can take effect, and those of the
 * first writer be answered, which dies at any moment, its requests under way taking effect later or
 * never.
 */
class InterleavingTest {
  private static final Layout LAYOUT = Layout.parse("range;shard=bits=8;encoding=0");
  private static final Bytes MAIN = Bytes.utf8("m");
  private static final Bytes VALUE = Bytes.utf8("v");
  private static final int MAX_SCHEDULES = 2_000_000;

  @Test
  void writersOfOneNewShard_anyOrder_loseNothing() {
    assertThat(explore(List.of("0a01"), List.of("0a02"), false)).isGreaterThan(3_000);
  }

  @Test
  void writersOfTwoNewShards_anyOrder_loseNothing() {
    assertThat(explore(List.of("0a01"), List.of("0b01"), false)).isGreaterThan(3_000);
  }

  @Test
  void writerWithAWarmCache_anyOrder_losesNothing() {
    assertThat(explore(List.of("0a01"), List.of("0a02", "0a03"), false)).isGreaterThan(3_000);
  }

  @Test
  void readerWithAWarmCache_anyOrder_missesNothing() {
    assertThat(explore(List.of("0901", "0a01"), List.of(), true)).isGreaterThan(3_000);
  }

  private static int explore(List<String> first, List<String> second, boolean warmReader) {
    List<Integer> choices = new ArrayList<>();
    int schedules = 0;
    do {
      new World(choices, first, second, warmReader).run();
      schedules++;
      assertThat(schedules).as("schedules").isLessThan(MAX_SCHEDULES);
    } while (advance(choices));
    return schedules;
  }

  /** Each choice is kept as option number and, above, how many there were. */
  private static boolean advance(List<Integer> choices) {
    while (!choices.isEmpty()) {
      int last = choices.remove(choices.size() - 1);
      int option = last & 0xff;
      int options = last >> 8;
      if (option + 1 < options) {
        choices.add(options << 8 | (option + 1));
        return true;
      }
    }
    return false;
  }

  private enum Actor {
    FIRST,
    SECOND,
    READER
  }

  /** A request that has not taken effect, or has and is not answered. */
  private record Pending(Actor actor, boolean isAnswer, Runnable body) {}

  private static final class World {
    private final List<Integer> choices;
    private final List<Pending> pending = new ArrayList<>();
    private final Set<String> acknowledged = new TreeSet<>();
    private final List<String> first;
    private final List<String> second;
    private final boolean warmReader;
    private boolean warming;
    private int step;
    private boolean firstIsDead;
    private @Nullable CompletionStage<Void> checked;

    World(List<Integer> choices, List<String> first, List<String> second, boolean warmReader) {
      this.choices = choices;
      this.first = first;
      this.second = second;
      this.warmReader = warmReader;
    }

    void run() {
      try (Store memory = MemoryStoreProvider.open("interleaving-test")) {
        write(open(memory, Actor.FIRST), first.iterator());
        write(open(memory, Actor.SECOND), second.iterator());
        StoreCollection reader = open(memory, Actor.READER);
        if (warmReader) {
          warming = true;
          join(reader.write(key("0a00"), Mutation.put(VALUE), call()));
          join(range(reader));
          acknowledged.add("0a00");
          warming = false;
        }
        pending.add(new Pending(Actor.READER, false, () -> read(reader)));
        while (!pending.isEmpty()) {
          choose();
        }
        join(Objects.requireNonNull(checked));
        assertThat(acknowledged).containsAll(second);
        StoreCollection last =
            join(new ShardedStore(memory).open("interleaved", LAYOUT, Claim.ACTIVE));
        Set<String> seen = keys(join(range(last)));
        assertThat(seen).as("schedule %s", choices).containsAll(acknowledged);
        for (String key : first) {
          boolean isThere = join(last.get(key(key), call())) != null;
          assertThat(seen.contains(key)).as("schedule %s", choices).isEqualTo(isThere);
        }
      }
    }

    private void choose() {
      List<Runnable> options = new ArrayList<>();
      boolean firstIsActive = false;
      for (Pending candidate : pending) {
        firstIsActive |= candidate.actor() == Actor.FIRST;
        options.add(
            () -> {
              pending.remove(candidate);
              candidate.body().run();
            });
        if (firstIsDead && candidate.actor() == Actor.FIRST) {
          options.add(() -> pending.remove(candidate));
        }
      }
      if (firstIsActive && !firstIsDead) {
        options.add(
            () -> {
              firstIsDead = true;
              pending.removeIf(
                  candidate -> candidate.actor() == Actor.FIRST && candidate.isAnswer());
            });
      }
      if (step == choices.size()) {
        choices.add(options.size() << 8);
      }
      int option = choices.get(step) & 0xff;
      step++;
      options.get(option).run();
    }

    private void write(StoreCollection writer, Iterator<String> keys) {
      if (keys.hasNext()) {
        String key = keys.next();
        writer
            .write(key(key), Mutation.put(VALUE), call())
            .thenAccept(
                version -> {
                  acknowledged.add(key);
                  write(writer, keys);
                });
      }
    }

    private void read(StoreCollection reader) {
      Set<String> before = new TreeSet<>(acknowledged);
      checked =
          range(reader)
              .thenAccept(
                  page -> assertThat(keys(page)).as("schedule %s", choices).containsAll(before));
    }

    private StoreCollection open(Store memory, Actor actor) {
      HookedStore.Hook hook =
          new HookedStore.Hook() {
            @Override
            public <T extends @Nullable Object> CompletionStage<T> run(
                HookedStore.Request request, Supplier<CompletionStage<T>> body) {
              return later(actor, body);
            }
          };
      return join(
          new ShardedStore(new HookedStore(memory, hook))
              .open("interleaved", LAYOUT, Claim.ACTIVE));
    }

    /** The first writer's request and its answer are steps of their own; others' are one. */
    private <T extends @Nullable Object> CompletionStage<T> later(
        Actor actor, Supplier<CompletionStage<T>> body) {
      if (warming) {
        return body.get();
      }
      CompletableFuture<T> result = new CompletableFuture<>();
      pending.add(
          new Pending(
              actor,
              false,
              () -> {
                T value = join(body.get());
                if (actor != Actor.FIRST) {
                  result.complete(value);
                } else if (!firstIsDead) {
                  pending.add(new Pending(actor, true, () -> result.complete(value)));
                }
              }));
      return result;
    }
  }

  private static StoreKey key(String hex) {
    return StoreKey.of(MAIN, Bytes.fromHex(hex));
  }

  private static Call call() {
    return Call.within(Duration.ofMinutes(10));
  }

  private static CompletionStage<RowPage> range(StoreCollection collection) {
    return collection.range(MAIN, Bytes.empty(), Range.all(), PageLimit.entries(100), call());
  }

  private static Set<String> keys(RowPage page) {
    Set<String> keys = new TreeSet<>();
    for (Row row : page.rows()) {
      keys.add(row.key().clustering().toHex());
    }
    return keys;
  }

  private static <T extends @Nullable Object> T join(CompletionStage<T> stage) {
    return stage.toCompletableFuture().join();
  }
}
