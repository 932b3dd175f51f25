package dev.kvshift.testkit;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.RangePage.Stop;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ForwardingCollection;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Collections with broken ranges or scans. */
final class BrokenRanges {
  private BrokenRanges() {}

  /** Sorts clustering keys by signed bytes. */
  static StoreCollection comparesSigned(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
        return inner
            .get(flipped(key), call)
            .thenApply(row -> row == null ? null : row.withKey(key));
      }

      @Override
      public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
        return inner.write(flipped(key), mutation, call);
      }

      @Override
      public CompletionStage<RowPage> range(
          Bytes main, Bytes shard, Range range, PageLimit limit, Call call) {
        Bytes from = range.from();
        Bytes to = range.to();
        Range signed =
            Range.all()
                .withFrom(from == null ? null : flipped(from), range.fromInclusive())
                .withTo(to == null ? null : flipped(to), range.toInclusive())
                .withDirection(range.direction());
        return inner
            .range(main, shard, signed, limit, call)
            .thenApply(
                page ->
                    RowPage.of(
                        page.rows().stream().map(row -> row.withKey(flipped(row.key()))).toList(),
                        page.stop(),
                        page.passed() == null ? null : flipped(page.passed())));
      }
    };
  }

  static StoreCollection takesBoundsForInclusive(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<RowPage> range(
          Bytes main, Bytes shard, Range range, PageLimit limit, Call call) {
        Range off =
            Range.all()
                .withFrom(range.from(), range.fromInclusive())
                .withTo(range.to(), true)
                .withDirection(range.direction());
        return inner.range(main, shard, off, limit, call);
      }
    };
  }

  static StoreCollection takesShortPagesForTheEnd(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<RowPage> range(
          Bytes main, Bytes shard, Range range, PageLimit limit, Call call) {
        return inner
            .range(main, shard, range, limit, call)
            .thenApply(
                page ->
                    page.stop() == Stop.ENTRY_LIMIT
                        ? page
                        : RowPage.of(page.rows(), Stop.END, null));
      }
    };
  }

  static StoreCollection walksForwardOnly(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<RowPage> range(
          Bytes main, Bytes shard, Range range, PageLimit limit, Call call) {
        Range forward =
            Range.all()
                .withFrom(range.from(), range.fromInclusive())
                .withTo(range.to(), range.toInclusive());
        return inner.range(main, shard, forward, limit, call);
      }
    };
  }

  static StoreCollection ignoresTheByteLimit(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<RowPage> range(
          Bytes main, Bytes shard, Range range, PageLimit limit, Call call) {
        return inner.range(main, shard, range, PageLimit.entries(limit.entries()), call);
      }
    };
  }

  /** Counts the bytes of values alone. */
  static StoreCollection countsValuesAlone(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<RowPage> range(
          Bytes main, Bytes shard, Range range, PageLimit limit, Call call) {
        return inner
            .range(main, shard, range, PageLimit.entries(limit.entries()), call)
            .thenApply(
                page -> {
                  int bytes = 0;
                  for (int i = 0; i < page.rows().size(); i++) {
                    Bytes value = page.rows().get(i).value();
                    bytes += value == null ? 0 : value.size();
                    if (bytes > limit.bytes() && i > 0) {
                      List<Row> rows = page.rows().subList(0, i);
                      return RowPage.of(rows, Stop.BYTE_LIMIT, rows.get(i - 1).key().clustering());
                    }
                  }
                  return page;
                });
      }
    };
  }

  static StoreCollection fetchesAllAndCuts(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<RowPage> range(
          Bytes main, Bytes shard, Range range, PageLimit limit, Call call) {
        return inner
            .range(main, shard, range, PageLimit.entries(PageLimit.MAX_ENTRIES), call)
            .thenApply(
                page -> {
                  if (page.rows().size() <= limit.entries()) {
                    return page;
                  }
                  List<Row> rows = page.rows().subList(0, limit.entries());
                  Bytes passed = rows.get(rows.size() - 1).key().clustering();
                  return RowPage.of(rows, Stop.ENTRY_LIMIT, passed);
                });
      }
    };
  }

  /** Reads all shards of five bits one by one instead of those that hold rows. */
  static StoreCollection asksEveryPartition(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<RowPage> range(
          Bytes main, Bytes shard, Range range, PageLimit limit, Call call) {
        CompletionStage<?> asked = CompletableFuture.completedFuture(null);
        for (int i = 0; i < 32; i++) {
          Bytes each = Bytes.of((byte) (i << 3));
          asked = asked.thenCompose(before -> inner.range(main, each, range, limit, call));
        }
        return asked.thenCompose(all -> inner.range(main, shard, range, limit, call));
      }
    };
  }

  /** Resumes scans only from positions that this instance has returned. */
  static StoreCollection tiesPositionsToItself(StoreCollection collection) {
    Bytes mark = Bytes.utf8(UUID.randomUUID().toString());
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<ScanPage> scan(
          ScanTask task, @Nullable Bytes position, PageLimit limit, Call call) {
        if (position != null && !position.startsWith(mark)) {
          return CompletableFuture.failedFuture(
              new KvException.Permanent("a position of another connection"));
        }
        Bytes own = position == null ? null : position.slice(mark.size(), position.size());
        return inner
            .scan(task, own, limit, call)
            .thenApply(
                page ->
                    ScanPage.of(
                        page.rows(), page.next() == null ? null : mark.concat(page.next())));
      }
    };
  }

  /** Ends every task after its first page. */
  static StoreCollection scansOnePage(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<ScanPage> scan(
          ScanTask task, @Nullable Bytes position, PageLimit limit, Call call) {
        return inner
            .scan(task, position, limit, call)
            .thenApply(page -> ScanPage.of(page.rows(), null));
      }
    };
  }

  private static StoreKey flipped(StoreKey key) {
    return StoreKey.of(key.main(), key.shard(), flipped(key.clustering()));
  }

  private static Bytes flipped(Bytes bytes) {
    byte[] array = bytes.toByteArray();
    for (int i = 0; i < array.length; i++) {
      array[i] ^= (byte) 0x80;
    }
    return Bytes.of(array);
  }
}
