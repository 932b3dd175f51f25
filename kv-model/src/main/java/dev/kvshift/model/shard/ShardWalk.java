package dev.kvshift.model.shard;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.Range.Direction;
import dev.kvshift.api.RangePage.Stop;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * One page of a range over the shards that the directory lists, in order, from the shard of the
 * page's start on. Steps follow one another, each on the thread that completed the one before.
 *
 * <p>The page ends only where its limits do, where the store gives up, after {@link #MAX_SHARDS}
 * shards, or where the directory does: the end of a shard is not the end of the range.
 */
final class ShardWalk {
  /** How many shards one page looks at: emptied ones cost a look each. At least two. */
  static final int MAX_SHARDS = 256;

  /**
   * How many shards are listed first: a page mostly lies within one or two, and those that follow
   * are not listed in vain. Each further listing takes {@link #DIRECTORY_GROWTH} times as many.
   */
  static final int FIRST_DIRECTORY_PAGE = 16;

  private static final int DIRECTORY_GROWTH = 4;

  /** How many shards are read at once, once one has turned out not to fill the page. */
  private static final int MAX_AHEAD = 4;

  private final ShardedCollection collection;
  private final Bytes main;
  private final Range range;
  private final Call call;
  private final @Nullable Bytes start;

  private final List<Row> rows = new ArrayList<>();
  private final Deque<Bytes> listed = new ArrayDeque<>();
  private final Deque<Look> looks = new ArrayDeque<>();
  private @Nullable Range unlisted;
  private @Nullable Look guess;
  private int entriesLeft;
  private long bytesLeft;
  private boolean hasEntry;
  private boolean anyListed;
  private int shardsSeen;
  private int ahead = 1;
  private int directoryPage = FIRST_DIRECTORY_PAGE;

  private record Look(Bytes shard, CompletionStage<RowPage> page) {}

  ShardWalk(ShardedCollection collection, Bytes main, Range range, PageLimit limit, Call call) {
    this.collection = collection;
    this.main = main;
    this.range = range;
    this.call = call;
    this.entriesLeft = limit.entries();
    this.bytesLeft = limit.bytes();
    Bytes from = range.from();
    Bytes to = range.to();
    this.start = range.direction() == Direction.FORWARD ? from : to;
    this.unlisted =
        Range.all()
            .withFrom(from == null ? null : collection.sharding().shardAt(from), true)
            .withTo(to == null ? null : collection.sharding().shardAt(to), true)
            .withDirection(range.direction());
  }

  /**
   * Reads the page. To be called once. The shard that it most likely begins with is read together
   * with the directory; where the directory does not list it next, that was in vain.
   */
  CompletionStage<RowPage> page() {
    Bytes likely;
    if (start == null) {
      likely = collection.knownEnd(main, range.direction());
    } else {
      Bytes shard = collection.sharding().shardAt(start);
      likely = collection.isKnown(main, shard) ? shard : null;
    }
    if (likely != null) {
      guess = look(likely);
    }
    return step();
  }

  private CompletionStage<RowPage> step() {
    while (looks.size() < ahead && !listed.isEmpty()) {
      looks.add(look(listed.remove()));
    }
    Look next = looks.poll();
    if (next != null) {
      return next.page().thenCompose(page -> absorb(next.shard(), page));
    }
    if (unlisted != null) {
      return list(unlisted);
    }
    if (collection.isGated() && shardsSeen == 0) {
      looks.add(look(start == null ? Bytes.empty() : collection.sharding().shardAt(start)));
      return step();
    }
    return done(Stop.END, null);
  }

  private CompletionStage<RowPage> list(Range shards) {
    PageLimit limit = PageLimit.entries(directoryPage);
    directoryPage = Math.min(MAX_SHARDS, directoryPage * DIRECTORY_GROWTH);
    return collection
        .directory()
        .range(main, Bytes.empty(), shards, limit, call)
        .thenCompose(
            page -> {
              for (Row row : page.rows()) {
                if (!row.isTombstone()) {
                  Bytes shard = row.key().clustering();
                  collection.know(main, shard);
                  if (start == null && !anyListed) {
                    collection.knowEnd(main, range.direction(), shard);
                  }
                  anyListed = true;
                  listed.add(shard);
                }
              }
              Bytes passed = page.passed();
              unlisted = passed == null ? null : shards.beyond(passed);
              return step();
            });
  }

  private Look look(Bytes shard) {
    Look guessed = guess;
    if (guessed != null && guessed.shard().equals(shard)) {
      guess = null;
      return guessed;
    }
    PageLimit limit = PageLimit.of(entriesLeft, (int) bytesLeft);
    return new Look(shard, collection.entries().range(main, shard, range, limit, call));
  }

  private CompletionStage<RowPage> absorb(Bytes shard, RowPage page) {
    shardsSeen++;
    for (Row row : page.rows()) {
      Stop full = add(row);
      if (full != null) {
        return done(full, lastPassed());
      }
    }
    if (page.stop() != Stop.END) {
      return done(page.stop(), page.passed());
    }
    if (looks.isEmpty() && listed.isEmpty() && unlisted == null) {
      return done(Stop.END, null);
    }
    if (entriesLeft == 0) {
      return done(Stop.ENTRY_LIMIT, lastPassed());
    }
    if (bytesLeft <= 0) {
      return done(Stop.BYTE_LIMIT, lastPassed());
    }
    if (shardsSeen == MAX_SHARDS) {
      return done(Stop.SCAN_LIMIT, collection.sharding().past(shard, range.direction()));
    }
    ahead = Math.min(MAX_AHEAD, ahead + 1);
    return step();
  }

  /** Adds a row where the limits allow; a page's first entry is always allowed. */
  private @Nullable Stop add(Row row) {
    Bytes value = row.value();
    if (value != null) {
      long bytes = (long) row.key().clustering().size() + value.size();
      if (entriesLeft == 0) {
        return Stop.ENTRY_LIMIT;
      }
      if (bytes > bytesLeft && hasEntry) {
        return Stop.BYTE_LIMIT;
      }
      hasEntry = true;
      entriesLeft--;
      bytesLeft -= bytes;
    }
    rows.add(ShardedCollection.stripped(row));
    return null;
  }

  private Bytes lastPassed() {
    return rows.get(rows.size() - 1).key().clustering();
  }

  private CompletionStage<RowPage> done(Stop stop, @Nullable Bytes passed) {
    return CompletableFuture.completedFuture(RowPage.of(rows, stop, passed));
  }
}
