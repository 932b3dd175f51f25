package dev.kvshift.testkit.clause;

import static org.assertj.core.api.Assertions.fail;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.testkit.clause.RandomOperation.Abilities;
import dev.kvshift.testkit.clause.RandomOperation.Delete;
import dev.kvshift.testkit.clause.RandomOperation.EndShortLives;
import dev.kvshift.testkit.clause.RandomOperation.Get;
import dev.kvshift.testkit.clause.RandomOperation.Life;
import dev.kvshift.testkit.clause.RandomOperation.Put;
import dev.kvshift.testkit.clause.RandomOperation.ReadRange;
import dev.kvshift.testkit.clause.RandomOperation.Versioned;
import dev.kvshift.testkit.fixture.TestClock;
import dev.kvshift.testkit.oracle.OrderedModel;
import dev.kvshift.testkit.oracle.Shrinking;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Random operations on a store and on an ordered map, whose results must be equal.
 *
 * <p>{@code -Dkvshift.operations=N} sets the number of operations (default 10,000) and {@code
 * -Dkvshift.seed=S} the seed. A failure prints its seed and the shortest list of operations found
 * that still fails.
 */
@Tag("random-operations")
public abstract class RandomOperationsClause extends Clause {
  private static final int DEFAULT_OPERATIONS = 10_000;
  private static final int PER_ROUND = 250;
  private static final Duration LONG_LIFE = Duration.ofDays(1_000);

  @Test
  void operations_random_agreeWithAnOrderedMap() {
    long operations = Long.getLong("kvshift.operations", DEFAULT_OPERATIONS);
    long seed = Long.getLong("kvshift.seed", new Random().nextLong());
    for (long round = 0; round * PER_ROUND < operations; round++) {
      Random random = new Random(seed + round);
      List<RandomOperation> run = new ArrayList<>();
      long count = Math.min(PER_ROUND, operations - round * PER_ROUND);
      for (int i = 0; i < count; i++) {
        run.add(RandomOperation.draw(random, abilities()));
      }
      if (difference(run) != null) {
        List<RandomOperation> shortest = Shrinking.shrink(run, some -> difference(some) != null);
        fail(
            "-Dkvshift.seed=%s -Dkvshift.operations=%s: %s after%n%s",
            seed + round,
            count,
            difference(shortest),
            shortest.stream().map(Object::toString).collect(Collectors.joining("\n")));
      }
    }
  }

  /** Runs the operations on fresh keys; returns how the store differed, or null if it did not. */
  private @Nullable String difference(List<RandomOperation> operations) {
    Run run = new Run();
    for (RandomOperation operation : operations) {
      String difference;
      try {
        difference = run.apply(operation);
      } catch (KvException e) {
        difference = "failed with " + e;
      }
      if (difference != null) {
        return operation + " " + difference;
      }
    }
    return null;
  }

  private Abilities abilities() {
    return new Abilities(
        has(Capability.RANGES),
        has(Capability.VERSIONED_WRITES),
        has(Capability.EXPIRY),
        tested().fixture.clock() instanceof TestClock);
  }

  private final class Run {
    private final OrderedModel model = new OrderedModel();
    private final List<Bytes> mains = new ArrayList<>();
    private final boolean ranges = has(Capability.RANGES);
    private final long firstVersion = versionAgo(Duration.ofHours(1));

    Run() {
      for (int i = 0; i < RandomOperation.MAINS; i++) {
        mains.add(freshMain());
      }
    }

    @Nullable String apply(RandomOperation operation) {
      if (operation instanceof Put put) {
        put(put);
      } else if (operation instanceof Delete delete) {
        Key key = Key.of(mains.get(delete.main()), delete.clustering());
        through(delete.api()).delete(key);
        model.write(storeKey(key), null, null);
      } else if (operation instanceof Versioned versioned) {
        versioned(versioned);
      } else if (operation instanceof EndShortLives) {
        awaitPast(tested().fixture.clock().instant().plus(shortLife().multipliedBy(2)));
      } else if (operation instanceof Get get) {
        Key key = Key.of(mains.get(get.main()), get.clustering());
        Bytes expected = model.get(storeKey(key), now());
        return difference(through(get.api()).get(key), expected);
      } else if (operation instanceof ReadRange read) {
        Bytes main = mains.get(read.main());
        return difference(
            through(read.api()).entries(main, read.range(), PageLimit.entries(read.limit())),
            model.range(main, read.range(), now()));
      }
      return null;
    }

    private void put(Put put) {
      Key key = Key.of(mains.get(put.main()), put.clustering());
      Duration life =
          put.life() == Life.NONE ? null : put.life() == Life.LONG ? LONG_LIFE : shortLife();
      through(put.api()).put(key, put.value(), WriteOptions.none().withTtl(life));
      model.write(storeKey(key), put.value(), life == null ? null : now().plus(life));
    }

    private void versioned(Versioned write) {
      StoreKey key = StoreKey.of(mains.get(write.main()), write.clustering());
      Bytes value = write.delete() ? null : write.value();
      join(
          (ranges ? ranges() : points())
              .write(key, Mutation.of(value).withVersion(firstVersion + write.version()), call()));
      model.write(Row.of(key, write.version(), value, null));
    }

    private CollectionUnderTest through(CollectionApi api) {
      return ranges ? ranges(api) : points(api);
    }

    private Instant now() {
      return tested().fixture.clock().instant();
    }

    private static StoreKey storeKey(Key key) {
      return StoreKey.of(key.main(), key.clustering());
    }

    private static @Nullable String difference(@Nullable Object actual, @Nullable Object expected) {
      return Objects.equals(actual, expected)
          ? null
          : "gave " + actual + ", the map has " + expected;
    }
  }

  /** Reads everything at the end, because the random reads may have missed a difference. */
  @Test
  @Needs(Capability.RANGES)
  void operations_random_leaveWhatTheMapHolds() {
    long seed = Long.getLong("kvshift.seed", new Random().nextLong());
    Random random = new Random(seed);
    List<RandomOperation> run = new ArrayList<>();
    for (int i = 0; i < PER_ROUND; i++) {
      RandomOperation operation = RandomOperation.draw(random, abilities());
      if (!(operation instanceof Get || operation instanceof ReadRange)) {
        run.add(operation);
      }
    }
    for (CollectionApi api : CollectionApi.values()) {
      for (int main = 0; main < RandomOperation.MAINS; main++) {
        run.add(new ReadRange(api, main, Range.all(), 7));
        run.add(new ReadRange(api, main, Range.all().backward(), 10));
      }
    }
    String difference = difference(run);
    if (difference != null) {
      fail("-Dkvshift.seed=%s: %s", seed, difference);
    }
  }
}
