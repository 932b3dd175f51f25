package dev.kvshift.testkit;

import static dev.kvshift.testkit.BrokenDriversTest.collection;

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
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiFunction;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.provider.Arguments;

/** Collections that break a sentence of rows, their versions and expiry, pages or scans each. */
final class BrokenRows {
  private static final Comparator<@Nullable Instant> EXPIRY =
      Comparator.nullsFirst(Comparator.naturalOrder());
  private static final Comparator<@Nullable Bytes> VALUE =
      Comparator.nullsFirst(Comparator.naturalOrder());

  private BrokenRows() {}

  static Stream<Arguments> all() {
    return Stream.of(
        collection(
            "lets the live win a tie",
            resolvesTies(
                Comparator.comparing(Row::isTombstone)
                    .reversed()
                    .thenComparing(Row::expiry, EXPIRY)
                    .thenComparing(Row::value, VALUE)),
            DriverKit.Versions.class,
            "write_deleteAndPutAtOneVersion_stayDead"),
        collection(
            "lets the everlasting win a tie",
            resolvesTies(
                Comparator.comparing(Row::isTombstone)
                    .thenComparing(row -> row.expiry() == null)
                    .thenComparing(Row::expiry, EXPIRY)
                    .thenComparing(Row::value, VALUE)),
            DriverKit.Versions.class,
            "write_expiringAndEverlastingAtOneVersion_theExpiringStays"),
        collection(
            "lets the earlier expiry win a tie",
            resolvesTies(
                Comparator.comparing(Row::isTombstone)
                    .thenComparing(Row::expiry, EXPIRY.reversed())
                    .thenComparing(Row::value, VALUE)),
            DriverKit.Versions.class,
            "write_twoExpiriesAtOneVersion_theLaterStaysWithItsValue"),
        collection(
            "lets the smaller value win a tie",
            resolvesTies(
                Comparator.comparing(Row::isTombstone)
                    .thenComparing(Row::expiry, EXPIRY)
                    .thenComparing(Row::value, VALUE.reversed())),
            DriverKit.Versions.class,
            "write_sameExpiryAtOneVersion_theGreaterValueStays"),
        collection(
            "answers with the winner's version",
            BrokenRows::answersWithTheWinnersVersion,
            DriverKit.Versions.class,
            "write_lowerVersion_succeedsWithoutEffect"),
        collection(
            "draws versions from a counter",
            BrokenRows::drawsFromACounter,
            DriverKit.Versions.class,
            "write_withoutVersion_drawsThemFromTheClock"),
        collection(
            "keeps the expiry of the value before",
            BrokenRows::keepsTheExpiryBefore,
            DriverKit.Expiry.class,
            "put_withoutTimeToLiveOverAnExpiringOne_staysForEver"),
        collection(
            "hides tombstones",
            BrokenRows::hidesTombstones,
            DriverKit.Deletes.class,
            "get_deleted_isATombstoneOfTheDeletesVersion"),
        collection(
            "answers several keys in another order",
            BrokenRows::answersInAnotherOrder,
            DriverKit.MultiKey.class,
            "getAll_keysOfTheSpi_endAsGetDoesForEachAlone"),
        collection(
            "returns one version for several writes",
            BrokenRows::returnsOneVersion,
            DriverKit.MultiKey.class,
            "writeAll_keysOfTheSpi_endAsWriteDoesForEachAlone"),
        collection(
            "refuses what is written beside a wrong key",
            BrokenRows::refusesBesideAWrongKey,
            DriverKit.MultiKey.class,
            "writeAll_keysOfTheSpi_endAsWriteDoesForEachAlone"),
        collection(
            "writes several keys at the greatest of their versions",
            BrokenRows::writesAtTheGreatestVersion,
            DriverKit.MultiKey.class,
            "writeAll_versionsOfTheirOwn_areComparedKeyByKey"),
        collection(
            "invents tombstones",
            BrokenRows::inventsTombstones,
            DriverKit.PointOperations.class,
            "get_neverWritten_isNoRow"),
        collection(
            "counts tombstones as entries",
            BrokenRows::countsTombstones,
            DriverKit.Paging.class,
            "paging_thousandsOfDeletedInFront_reachesTheLiveOnes"),
        collection(
            "lists tombstones last",
            BrokenRows::listsTombstonesLast,
            DriverKit.Deletes.class,
            "range_deletedEntries_areTombstonesInTheirPlaces"),
        collection(
            "passes too little",
            BrokenRows::passesTooLittle,
            DriverKit.Paging.class,
            "paging_byEntries_givesEveryEntryOnceInOrder"),
        collection(
            "names another reason to stop",
            BrokenRows::namesAnotherReason,
            DriverKit.Paging.class,
            "paging_byBytes_keepsTheLimitUnlessOneEntryIsLarger"),
        collection(
            "scans tasks that overlap",
            BrokenRows::scansTasksThatOverlap,
            DriverKit.Scan.class,
            "scanTasks_coverAllTokensOnce"),
        collection(
            "leaves the last task out",
            BrokenRows::leavesTheLastTaskOut,
            DriverKit.Scan.class,
            "scanTasks_coverAllTokensOnce"),
        collection(
            "scans beyond its task",
            BrokenRows::scansBeyondItsTask,
            DriverKit.Scan.class,
            "scan_everyRow_liesInItsTask"),
        collection(
            "scans pages of any size",
            BrokenRows::scansPagesOfAnySize,
            DriverKit.Scan.class,
            "scan_pagesByBytes_keepTheirLimitUnlessOneRowIsLarger"),
        collection(
            "scans without expiry",
            BrokenRows::scansWithoutExpiry,
            DriverKit.Scan.class,
            "scan_expiringRows_carryTheirExpiry_andDieWithIt"),
        collection(
            "scans without end",
            BrokenRows::scansPastTheDeadline,
            DriverKit.Scan.class,
            "scan_deadlinePassed_isTransient"),
        collection(
            "hashes the whole key",
            BrokenRows::hashesTheWholeKey,
            DriverKit.Scan.class,
            "token_neighboursInAMainKey_isTheSame_andStaysAcrossConnections"));
  }

  /** Resolves ties of one version by another order, in an overlay over the sound store. */
  private static UnaryOperator<StoreCollection> resolvesTies(Comparator<Row> order) {
    return collection ->
        new ForwardingCollection(collection) {
          private final Map<StoreKey, Row> kept = new ConcurrentHashMap<>();

          @Override
          public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
            return inner
                .write(key, mutation, call)
                .thenApply(
                    version -> {
                      Row row = Row.of(key, version, mutation.value(), mutation.expiry());
                      kept.merge(
                          key,
                          row,
                          (one, two) ->
                              Comparator.comparingLong(Row::version)
                                          .thenComparing(order)
                                          .compare(one, two)
                                      >= 0
                                  ? one
                                  : two);
                      return version;
                    });
          }

          @Override
          public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
            return inner
                .get(key, call)
                .thenApply(
                    row -> {
                      Row overlay = kept.get(key);
                      return row != null && overlay != null && overlay.version() == row.version()
                          ? overlay
                          : row;
                    });
          }
        };
  }

  private static StoreCollection answersWithTheWinnersVersion(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
        return inner
            .write(key, mutation, call)
            .thenCompose(
                version ->
                    inner.get(key, call).thenApply(row -> row == null ? version : row.version()));
      }
    };
  }

  private static StoreCollection drawsFromACounter(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
        return inner
            .write(key, mutation, call)
            .thenApply(version -> mutation.version() == null ? version / 1_000_000 : version);
      }
    };
  }

  private static StoreCollection keepsTheExpiryBefore(StoreCollection collection) {
    Map<StoreKey, Instant> expiries = new ConcurrentHashMap<>();
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
        Instant expiry = mutation.expiry();
        if (expiry != null) {
          expiries.put(key, expiry);
        }
        return inner.write(
            key,
            mutation.value() == null ? mutation : mutation.withExpiry(expiries.get(key)),
            call);
      }
    };
  }

  private static StoreCollection hidesTombstones(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
        return inner.get(key, call).thenApply(row -> row == null || row.isTombstone() ? null : row);
      }
    };
  }

  private static StoreCollection answersInAnotherOrder(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public List<CompletionStage<@Nullable Row>> getAll(List<StoreKey> keys, Call call) {
        return super.getAll(keys.stream().sorted().toList(), call);
      }
    };
  }

  private static StoreCollection returnsOneVersion(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public Map<StoreKey, CompletionStage<Long>> writeAll(
          Map<StoreKey, Mutation> mutations, Call call) {
        Map<StoreKey, CompletionStage<Long>> written = super.writeAll(mutations, call);
        CompletionStage<Long> last = null;
        for (CompletionStage<Long> stage : written.values()) {
          last = stage;
        }
        CompletionStage<Long> one = last;
        written.replaceAll((key, stage) -> one);
        return written;
      }
    };
  }

  private static StoreCollection refusesBesideAWrongKey(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public Map<StoreKey, CompletionStage<Long>> writeAll(
          Map<StoreKey, Mutation> mutations, Call call) {
        try {
          mutations.forEach(this::check);
        } catch (KvException e) {
          Map<StoreKey, CompletionStage<Long>> refused = new LinkedHashMap<>();
          mutations.keySet().forEach(key -> refused.put(key, CompletableFuture.failedFuture(e)));
          return refused;
        }
        return super.writeAll(mutations, call);
      }
    };
  }

  private static StoreCollection writesAtTheGreatestVersion(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public Map<StoreKey, CompletionStage<Long>> writeAll(
          Map<StoreKey, Mutation> mutations, Call call) {
        Long greatest =
            mutations.values().stream()
                .map(Mutation::version)
                .filter(Objects::nonNull)
                .max(Comparator.naturalOrder())
                .orElse(null);
        Map<StoreKey, CompletionStage<Long>> written = new LinkedHashMap<>();
        mutations.forEach(
            (key, mutation) ->
                written.put(
                    key,
                    inner
                        .write(key, mutation.withVersion(greatest), call)
                        .thenApply(version -> greatest == null ? version : mutation.version())));
        return written;
      }
    };
  }

  private static StoreCollection inventsTombstones(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
        return inner
            .get(key, call)
            .thenApply(row -> Objects.requireNonNullElseGet(row, () -> Row.tombstone(key, 0)));
      }
    };
  }

  private static StoreCollection paging(
      StoreCollection collection, BiFunction<RowPage, PageLimit, RowPage> how) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<RowPage> range(
          Bytes main, Bytes shard, Range range, PageLimit limit, Call call) {
        return inner
            .range(main, shard, range, limit, call)
            .thenApply(page -> how.apply(page, limit));
      }
    };
  }

  private static StoreCollection countsTombstones(StoreCollection collection) {
    return paging(
        collection,
        (page, limit) -> {
          if (page.rows().size() <= limit.entries()) {
            return page;
          }
          List<Row> rows = page.rows().subList(0, limit.entries());
          Bytes passed = rows.get(rows.size() - 1).key().clustering();
          return RowPage.of(rows, Stop.ENTRY_LIMIT, passed);
        });
  }

  private static StoreCollection listsTombstonesLast(StoreCollection collection) {
    return paging(
        collection,
        (page, limit) -> {
          List<Row> rows = new ArrayList<>(page.rows());
          rows.sort(Comparator.comparing(Row::isTombstone));
          return RowPage.of(rows, page.stop(), page.passed());
        });
  }

  private static StoreCollection passesTooLittle(StoreCollection collection) {
    return paging(
        collection,
        (page, limit) ->
            page.passed() == null || page.rows().size() < 2
                ? page
                : RowPage.of(
                    page.rows(),
                    page.stop(),
                    page.rows().get(page.rows().size() - 2).key().clustering()));
  }

  private static StoreCollection namesAnotherReason(StoreCollection collection) {
    return paging(
        collection,
        (page, limit) ->
            page.stop() == Stop.BYTE_LIMIT
                ? RowPage.of(page.rows(), Stop.ENTRY_LIMIT, page.passed())
                : page);
  }

  private static StoreCollection scansTasksThatOverlap(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<List<ScanTask>> scanTasks(int atLeast, Call call) {
        return inner
            .scanTasks(atLeast, call)
            .thenApply(
                tasks ->
                    tasks.stream()
                        .map(
                            task ->
                                task.after() == Long.MIN_VALUE
                                    ? task
                                    : ScanTask.of(task.after() - 1, task.upTo()))
                        .toList());
      }
    };
  }

  private static StoreCollection leavesTheLastTaskOut(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<List<ScanTask>> scanTasks(int atLeast, Call call) {
        return inner
            .scanTasks(atLeast, call)
            .thenApply(tasks -> tasks.size() < 2 ? tasks : tasks.subList(0, tasks.size() - 1));
      }
    };
  }

  private static StoreCollection scansBeyondItsTask(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<ScanPage> scan(
          ScanTask task, @Nullable Bytes position, PageLimit limit, Call call) {
        return inner.scan(ScanTask.of(task.after(), Long.MAX_VALUE), position, limit, call);
      }
    };
  }

  private static StoreCollection scansPagesOfAnySize(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<ScanPage> scan(
          ScanTask task, @Nullable Bytes position, PageLimit limit, Call call) {
        return inner.scan(task, position, PageLimit.of(limit.entries(), PageLimit.MAX_BYTES), call);
      }
    };
  }

  private static StoreCollection scansWithoutExpiry(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<ScanPage> scan(
          ScanTask task, @Nullable Bytes position, PageLimit limit, Call call) {
        return inner
            .scan(task, position, limit, call)
            .thenApply(
                page ->
                    ScanPage.of(
                        page.rows().stream()
                            .map(row -> Row.of(row.key(), row.version(), row.value(), null))
                            .toList(),
                        page.next()));
      }
    };
  }

  private static StoreCollection scansPastTheDeadline(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<ScanPage> scan(
          ScanTask task, @Nullable Bytes position, PageLimit limit, Call call) {
        return inner.scan(task, position, limit, Call.within(Duration.ofMinutes(1)));
      }
    };
  }

  private static StoreCollection hashesTheWholeKey(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public long token(StoreKey key) {
        return inner.token(key) ^ key.clustering().hashCode();
      }
    };
  }
}
