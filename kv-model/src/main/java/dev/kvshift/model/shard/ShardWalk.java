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
 * Reads one page of a range of a main key across its shards.
 *
 * <p><b>The problem.</b> The entries of a main key are spread over partitions, yet callers read
 * them as one sorted range, page by page. A rule such as {@code bits=64} has 2⁶⁴ possible shards,
 * so a read cannot probe them. A main key can have millions of shards, so it cannot list them all
 * either. And most pages lie within one shard, so the common case must not pay for the others.
 *
 * <p><b>The idea.</b> A shard is a prefix of the encoded clustering key, so the shards in order
 * hold the entries in order. The directory lists the shards that were ever written. The walk lists
 * the part of the directory that the range can touch, a page at a time, and appends the shards'
 * rows until the page is full:
 *
 * <pre>
 *   range   [from ─────────────────────────────── to]
 *   directory    s1      s2      s4          s7           listed 16, then 64, then 256 at a time
 *   reads        ██      ██      ██  (s7)                 one, then up to 4 in flight
 * </pre>
 *
 * <p>Two tricks hide latency without changing the result. The shard that most likely comes first is
 * read in parallel with the first listing; the read is used only if the directory lists that shard
 * first. And once a shard has not filled the page, the following ones are read ahead.
 *
 * <p><b>The invariants</b>, and what breaks without each:
 *
 * <ol>
 *   <li><i>Only listed shards are read, and a directory row is acknowledged before the first entry
 *       of its shard is sent.</i> Otherwise an acknowledged entry could be missing from a range.
 *   <li><i>The listing starts and ends at the shards of the range's bounds, inclusive</i> ({@code
 *       Sharding.shardAt}). A bound lies inside a shard, not at its edge; with exclusive bounds the
 *       first or last shard would be skipped.
 *   <li><i>Rows are appended in the order of the directory, never of arrival.</i> Reads ahead
 *       complete in any order; appending them as they come would break the order of the range, and
 *       with it every page token.
 *   <li><i>The end of a shard is not the end of the range.</i> A page ends with {@code END} only if
 *       nothing is listed and nothing is left to list. Otherwise callers would stop early and miss
 *       all later shards.
 *   <li><i>A page continues from a clustering key</i>, never from a shard or a driver's paging
 *       state. A page token must stay valid on another store with other shards, or none: a range
 *       that began on the old store continues on the new one.
 *   <li><i>After {@link #MAX_SHARDS} shards the page ends with {@code SCAN_LIMIT}</i> at a position
 *       past the last shard. Emptied shards stay listed forever; without this limit, one page over
 *       many of them would run into its deadline, again and again, and never make progress.
 *   <li><i>If the store has a gate, at least one read reaches the entries</i>, even if the
 *       directory lists nothing. The directory has no gate; without that read, a request in a stale
 *       epoch would get an empty page instead of a refusal.
 * </ol>
 *
 * <p>A walk is used for one page. Its steps run one after another, each on the thread that
 * completed the previous one, so its fields need no lock.
 */
final class ShardWalk {
  /** Maximum number of shards that one page reads. */
  static final int MAX_SHARDS = 256;

  /** Size of the first listing: most pages lie within one or two shards. */
  private static final int FIRST_LISTING = 16;

  /** Each further listing is this many times larger than the one before. */
  private static final int LISTING_GROWTH = 4;

  /** Maximum number of shard reads in flight, once one shard has not filled the page. */
  private static final int MAX_IN_FLIGHT = 4;

  private final ShardedCollection collection;
  private final Bytes main;
  private final Range range;
  private final Call call;

  /** The bound where the page starts; null if it starts with the first key of the direction. */
  private final @Nullable Bytes start;

  private final List<Row> rows = new ArrayList<>();
  private int entriesLeft;
  private long bytesLeft;
  private boolean hasEntry;

  /** The part of the directory that was not listed yet; null if there is none. */
  private @Nullable Range unlisted;

  private int listingSize = FIRST_LISTING;
  private boolean anyListed;

  /** Shards that are listed but not read yet. */
  private final Deque<Bytes> listed = new ArrayDeque<>();

  /** Reads in flight, in the order of their shards. */
  private final Deque<ShardRead> inFlight = new ArrayDeque<>();

  /** The read that was sent in parallel with the first listing. */
  private @Nullable ShardRead guess;

  private int maxInFlight = 1;
  private int shardsRead;

  private record ShardRead(Bytes shard, CompletionStage<RowPage> page) {}

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

  /** Reads the page. Called once. */
  CompletionStage<RowPage> page() {
    Bytes likely = likelyFirstShard();
    if (likely != null) {
      guess = read(likely);
    }
    return step();
  }

  private @Nullable Bytes likelyFirstShard() {
    if (start == null) {
      return collection.knownEnd(main, range.direction());
    }
    Bytes shard = collection.sharding().shardAt(start);
    return collection.isKnown(main, shard) ? shard : null;
  }

  private CompletionStage<RowPage> step() {
    while (inFlight.size() < maxInFlight && !listed.isEmpty()) {
      inFlight.add(read(listed.remove()));
    }
    ShardRead next = inFlight.poll();
    if (next != null) {
      return next.page().thenCompose(page -> append(next.shard(), page));
    }
    if (unlisted != null) {
      return list(unlisted);
    }
    if (collection.isGated() && shardsRead == 0) {
      inFlight.add(read(start == null ? Bytes.empty() : collection.sharding().shardAt(start)));
      return step();
    }
    return done(Stop.END, null);
  }

  private CompletionStage<RowPage> list(Range shards) {
    PageLimit limit = PageLimit.entries(listingSize);
    listingSize = Math.min(MAX_SHARDS, listingSize * LISTING_GROWTH);
    return collection
        .directory()
        .range(main, Bytes.empty(), shards, limit, call)
        .thenCompose(
            page -> {
              for (Row row : page.rows()) {
                if (!row.isTombstone()) {
                  addListed(row.key().clustering());
                }
              }
              Bytes passed = page.passed();
              unlisted = passed == null ? null : shards.beyond(passed);
              return step();
            });
  }

  private void addListed(Bytes shard) {
    collection.addKnown(main, shard);
    if (start == null && !anyListed) {
      collection.setKnownEnd(main, range.direction(), shard);
    }
    anyListed = true;
    listed.add(shard);
  }

  /** Sends a read of a shard, unless the guess has already done so. */
  private ShardRead read(Bytes shard) {
    ShardRead guessed = guess;
    if (guessed != null && guessed.shard().equals(shard)) {
      guess = null;
      return guessed;
    }
    PageLimit limit = PageLimit.of(entriesLeft, (int) bytesLeft);
    return new ShardRead(shard, collection.entries().range(main, shard, range, limit, call));
  }

  /** Appends a shard's rows; ends the page if it is full, or continues with the next shard. */
  private CompletionStage<RowPage> append(Bytes shard, RowPage page) {
    shardsRead++;
    for (Row row : page.rows()) {
      Stop full = add(row);
      if (full != null) {
        return done(full, lastKey());
      }
    }
    Bytes passed = page.passed();
    if (passed != null) {
      int order = collection.sharding().shardAt(passed).compareTo(shard);
      int ahead = range.direction() == Direction.FORWARD ? order : -order;
      if (ahead == 0) {
        return done(page.stop(), passed);
      }
      if (ahead < 0) {
        return readRest(shard, passed);
      }
    }
    if (inFlight.isEmpty() && listed.isEmpty() && unlisted == null) {
      return done(Stop.END, null);
    }
    if (entriesLeft == 0) {
      return done(Stop.ENTRY_LIMIT, lastKey());
    }
    if (bytesLeft <= 0) {
      return done(Stop.BYTE_LIMIT, lastKey());
    }
    if (shardsRead == MAX_SHARDS) {
      return done(Stop.SCAN_LIMIT, past(shard));
    }
    maxInFlight = Math.min(MAX_IN_FLIGHT, maxInFlight + 1);
    return step();
  }

  /**
   * Continues with a shard whose page ended at a position in front of all its keys. The page of the
   * walk cannot end there, because the shards at that position were read before.
   */
  private CompletionStage<RowPage> readRest(Bytes shard, Bytes passed) {
    shardsRead--;
    PageLimit limit = PageLimit.of(entriesLeft, (int) bytesLeft);
    return collection
        .entries()
        .range(main, shard, range.beyond(passed), limit, call)
        .thenCompose(page -> append(shard, page));
  }

  /**
   * Adds a row if the limits allow it, and otherwise returns the limit that is reached. The first
   * entry is always allowed, so that every page makes progress.
   */
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
    rows.add(ShardedCollection.unsharded(row));
    return null;
  }

  /** Returns a position behind both a shard that was read to its end and the page's last row. */
  private Bytes past(Bytes shard) {
    Bytes past = collection.sharding().past(shard, range.direction());
    boolean lastIsFurther =
        range.direction() == Direction.FORWARD && !rows.isEmpty() && lastKey().compareTo(past) > 0;
    return lastIsFurther ? lastKey() : past;
  }

  private Bytes lastKey() {
    return rows.get(rows.size() - 1).key().clustering();
  }

  private CompletionStage<RowPage> done(Stop stop, @Nullable Bytes passed) {
    return CompletableFuture.completedFuture(RowPage.of(rows, stop, passed));
  }
}
