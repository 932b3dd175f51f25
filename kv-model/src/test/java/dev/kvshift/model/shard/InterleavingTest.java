package dev.kvshift.model.shard;

import static dev.kvshift.testkit.concurrent.Await.join;
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
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Explores every interleaving of two writers and a reader of one main key.
 *
 * <p>A step is a request that takes effect, or an answer that reaches a writer. One of the writers
 * may die at any step; its requests in flight then take effect later or never. A reader changes
 * nothing, so its answers need no steps of their own: its next request may take effect at any time
 * as well.
 *
 * <p>An actor's next request depends only on the answers it has received. The writes that took
 * effect, the answers that each actor received and the requests in flight therefore identify a
 * state, and a state that was reached before need not be explored again.
 */
class InterleavingTest {
  private static final Layout LAYOUT = Layout.parse("range;shard=bits=8;encoding=0");
  private static final Bytes MAIN = Bytes.utf8("m");
  private static final Bytes VALUE = Bytes.utf8("v");
  private static final int MAX_STATES = 50_000;

  @Test
  void writersOfOneNewShard_anyOrder_loseNothing() {
    assertThat(explore(List.of("0a01"), List.of("0a02"), false, 100)).isGreaterThan(500);
  }

  @Test
  void writersOfTwoNewShards_anyOrder_loseNothing() {
    assertThat(explore(List.of("0a01"), List.of("0b01"), false, 100)).isGreaterThan(900);
  }

  @Test
  void writerWithAWarmCache_anyOrder_losesNothing() {
    assertThat(explore(List.of("0a01"), List.of("0a02", "0a03"), false, 100)).isGreaterThan(1_000);
  }

  @Test
  void readerWithAWarmCacheAndSmallPages_anyOrder_missesNothing() {
    assertThat(explore(List.of("0901"), List.of("0b01"), true, 2)).isGreaterThan(5_000);
  }

  /** Explores all states and returns their number. A failure names the steps that lead to it. */
  private static int explore(
      List<String> first, List<String> second, boolean warmReader, int pageEntries) {
    Set<String> seen = new HashSet<>();
    Deque<List<Integer>> unexplored = new ArrayDeque<>();
    unexplored.push(List.of());
    while (!unexplored.isEmpty()) {
      List<Integer> steps = new ArrayList<>(unexplored.pop());
      try (World world = new World(first, second, warmReader, pageEntries)) {
        for (int option : steps) {
          world.options().get(option).run();
        }
        while (seen.add(world.state())) {
          assertThat(seen.size()).as("states").isLessThan(MAX_STATES);
          List<Runnable> options = world.options();
          if (options.isEmpty()) {
            world.checkEnd();
            break;
          }
          for (int other = 1; other < options.size(); other++) {
            List<Integer> branch = new ArrayList<>(steps);
            branch.add(other);
            unexplored.push(branch);
          }
          steps.add(0);
          options.get(0).run();
        }
      } catch (AssertionError e) {
        throw new AssertionError("after the steps " + steps, e);
      }
    }
    return seen.size();
  }

  private enum Actor {
    FIRST,
    SECOND,
    READER
  }

  /** A request that has not taken effect yet, or an answer that has not arrived yet. */
  private record Pending(Actor actor, boolean isAnswer, String what, Runnable body) {}

  private static final class World implements AutoCloseable {
    private final Store memory = MemoryStoreProvider.open("interleaving-test");
    private final Map<Actor, List<String>> keys = new EnumMap<>(Actor.class);
    private final int pageEntries;
    private final List<Pending> pending = new ArrayList<>();
    private final Set<String> written = new TreeSet<>();
    private final Map<Actor, List<String>> answered = new EnumMap<>(Actor.class);
    private final Set<String> acknowledged = new TreeSet<>();
    private final Set<String> mustBeSeen = new TreeSet<>();
    private final Set<String> seenByReader = new TreeSet<>();
    private @Nullable Actor dead;
    private boolean isWarming;
    private boolean isRead;

    World(List<String> first, List<String> second, boolean warmReader, int pageEntries) {
      this.pageEntries = pageEntries;
      keys.put(Actor.FIRST, first);
      keys.put(Actor.SECOND, second);
      for (Actor actor : Actor.values()) {
        answered.put(actor, new ArrayList<>());
      }
      StoreCollection reader = open(Actor.READER);
      if (warmReader) {
        isWarming = true;
        join(reader.write(key("0a00"), Mutation.put(VALUE), call()));
        join(range(reader, Range.all(), 100));
        acknowledged.add("0a00");
        isWarming = false;
      }
      write(open(Actor.FIRST), first.iterator());
      write(open(Actor.SECOND), second.iterator());
      pending.add(new Pending(Actor.READER, false, "begin", () -> begin(reader)));
    }

    /** Returns the possible next steps. */
    List<Runnable> options() {
      List<Runnable> options = new ArrayList<>();
      Set<Actor> active = new TreeSet<>();
      for (Pending candidate : pending) {
        active.add(candidate.actor());
        options.add(
            () -> {
              pending.remove(candidate);
              candidate.body().run();
            });
        if (candidate.actor() == dead) {
          options.add(() -> pending.remove(candidate));
        }
      }
      active.remove(Actor.READER);
      if (dead == null) {
        for (Actor writer : active) {
          options.add(
              () -> {
                dead = writer;
                pending.removeIf(one -> one.actor() == writer && one.isAnswer());
              });
        }
      }
      return options;
    }

    String state() {
      Set<String> inFlight = new TreeSet<>();
      pending.forEach(one -> inFlight.add(one.actor() + one.what()));
      return written + "" + answered.values() + inFlight + mustBeSeen + dead;
    }

    void checkEnd() {
      assertThat(isRead).as("the reader has read to the end").isTrue();
      StoreCollection last =
          join(new ShardedStore(memory).open("interleaved", LAYOUT, Claim.ACTIVE));
      Set<String> seen = keys(join(range(last, Range.all(), 100)));
      assertThat(seen).containsAll(acknowledged);
      keys.forEach(
          (writer, ofWriter) -> {
            if (writer != dead) {
              assertThat(acknowledged).containsAll(ofWriter);
            }
            for (String key : ofWriter) {
              boolean isThere = join(last.get(key(key), call())) != null;
              assertThat(seen.contains(key)).as(key).isEqualTo(isThere);
            }
          });
    }

    @Override
    public void close() {
      memory.close();
    }

    private void write(StoreCollection writer, Iterator<String> rest) {
      if (rest.hasNext()) {
        String key = rest.next();
        writer
            .write(key(key), Mutation.put(VALUE), call())
            .thenAccept(
                version -> {
                  acknowledged.add(key);
                  write(writer, rest);
                });
      }
    }

    private void begin(StoreCollection reader) {
      mustBeSeen.addAll(acknowledged);
      read(reader, Range.all());
    }

    private void read(StoreCollection reader, Range rest) {
      range(reader, rest, pageEntries)
          .thenAccept(
              page -> {
                seenByReader.addAll(keys(page));
                Bytes passed = page.passed();
                if (passed == null) {
                  isRead = true;
                } else {
                  read(reader, rest.beyond(passed));
                }
              });
    }

    private StoreCollection open(Actor actor) {
      HookedStore.Hook hook =
          new HookedStore.Hook() {
            @Override
            public <T extends @Nullable Object> CompletionStage<T> run(
                HookedStore.Request request, Supplier<CompletionStage<T>> body) {
              return later(actor, request, body);
            }
          };
      return join(
          new ShardedStore(new HookedStore(memory, hook))
              .open("interleaved", LAYOUT, Claim.ACTIVE));
    }

    private <T extends @Nullable Object> CompletionStage<T> later(
        Actor actor, HookedStore.Request request, Supplier<CompletionStage<T>> body) {
      if (isWarming) {
        return body.get();
      }
      CompletableFuture<T> result = new CompletableFuture<>();
      String what = label(request);
      pending.add(new Pending(actor, false, what, () -> take(actor, request, what, body, result)));
      return result;
    }

    private <T extends @Nullable Object> void take(
        Actor actor,
        HookedStore.Request request,
        String what,
        Supplier<CompletionStage<T>> body,
        CompletableFuture<T> result) {
      T value = join(body.get());
      if (request.kind() == HookedStore.Kind.WRITE) {
        written.add(what);
      }
      if (actor == dead) {
        return;
      }
      String answer = what + (value instanceof RowPage page ? keys(page) : "!");
      Pending answering =
          new Pending(actor, true, answer, () -> answer(actor, answer, value, result));
      if (actor == Actor.READER) {
        answering.body().run();
      } else {
        pending.add(answering);
      }
    }

    private <T extends @Nullable Object> void answer(
        Actor actor, String answer, T value, CompletableFuture<T> result) {
      answered.get(actor).add(answer);
      result.complete(value);
      if (isRead) {
        assertThat(seenByReader).containsAll(mustBeSeen);
      }
    }

    private static String label(HookedStore.Request request) {
      StoreKey key = request.key();
      return (request.isOfDirectory() ? "d" : "e")
          + request.kind().name().charAt(0)
          + key.shard().toHex()
          + key.clustering().toHex();
    }
  }

  private static StoreKey key(String hex) {
    return StoreKey.of(MAIN, Bytes.fromHex(hex));
  }

  private static Call call() {
    return Call.within(Duration.ofMinutes(10));
  }

  private static CompletionStage<RowPage> range(
      StoreCollection collection, Range range, int entries) {
    return collection.range(MAIN, Bytes.empty(), range, PageLimit.entries(entries), call());
  }

  private static Set<String> keys(RowPage page) {
    Set<String> keys = new TreeSet<>();
    for (Row row : page.rows()) {
      keys.add(row.key().clustering().toHex());
    }
    return keys;
  }
}
