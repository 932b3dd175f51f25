package dev.kvshift.testkit;

import static dev.kvshift.testkit.BrokenDriversTest.store;
import static dev.kvshift.testkit.ForwardingParts.withMetadata;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.ForwardingCollection;
import dev.kvshift.spi.ForwardingStore;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.provider.Arguments;

/** Stores that break a sentence of their metadata, or of the records of their collections. */
final class BrokenRecords {
  private BrokenRecords() {}

  static Stream<Arguments> all() {
    return Stream.of(
        store(
            "lists the record that a page begins after",
            BrokenRecords::listsTheRecordBefore,
            DriverKit.Metadata.class,
            "list_pages_giveEveryRecordOnce"),
        store(
            "lists without a group",
            BrokenRecords::listsWithoutAGroup,
            DriverKit.Metadata.class,
            "list_prefixWithoutAGroup_isRefused"),
        store(
            "lists as many as it is asked for",
            BrokenRecords::listsAnyNumber,
            DriverKit.Metadata.class,
            "list_limitOutOfRange_isRefused"),
        store(
            "takes an empty record for none",
            BrokenRecords::takesEmptyForNone,
            DriverKit.Metadata.class,
            "compareAndSet_emptyRecord_isNotNone"),
        store(
            "cuts long records",
            BrokenRecords::cutsLongRecords,
            DriverKit.Metadata.class,
            "compareAndSet_largestRecord_isTakenAndALargerOneRefused"),
        store(
            "activates once only",
            BrokenRecords::activatesOnceOnly,
            DriverKit.Metadata.class,
            "activate_again_isTheSame_andAnotherFloorIsPermanent"),
        store(
            "activates above any floor",
            BrokenRecords::activatesAboveAnyFloor,
            DriverKit.Metadata.class,
            "activate_again_isTheSame_andAnotherFloorIsPermanent"),
        store(
            "restarts twice",
            BrokenRecords::restartsTwice,
            DriverKit.Metadata.class,
            "restart_importing_beginsTheNextIncarnationEmpty"),
        store(
            "keeps the old rows",
            BrokenRecords::keepsTheOldRows,
            DriverKit.Metadata.class,
            "restart_importing_beginsTheNextIncarnationEmpty"),
        store(
            "draws versions while importing",
            BrokenRecords::drawsVersionsWhileImporting,
            DriverKit.Metadata.class,
            "importing_takesVersionedWritesOnly"),
        store(
            "makes what it was to look at",
            BrokenRecords::makesWhatItLooksAt,
            DriverKit.Metadata.class,
            "open_claimNoneOfANewCollection_isPermanentAndMakesNothing"),
        store(
            "drops every incarnation",
            BrokenRecords::dropsEveryIncarnation,
            DriverKit.Lifecycle.class,
            "drop_whatIsNotThere_succeeds"),
        store(
            "drops nothing",
            BrokenRecords::dropsNothing,
            DriverKit.Lifecycle.class,
            "drop_collectionStillHeld_itsWritersFail"),
        store(
            "answers readers from the dropped copy",
            BrokenRecords::answersFromTheDroppedCopy,
            DriverKit.Metadata.class,
            "restart_oldCopyDropped_itsReadersNeverReadItAgain"));
  }

  private static Store listsTheRecordBefore(Store store) {
    return withMetadata(
        store,
        records ->
            new ForwardingParts.Records(records) {
              @Override
              public CompletionStage<SortedMap<String, Bytes>> list(
                  String prefix, String after, int limit) {
                String before = after.isEmpty() ? "" : after.substring(0, after.length() - 1);
                return inner.list(prefix, before, limit);
              }
            });
  }

  private static Store listsWithoutAGroup(Store store) {
    return withMetadata(
        store,
        records ->
            new ForwardingParts.Records(records) {
              @Override
              public CompletionStage<SortedMap<String, Bytes>> list(
                  String prefix, String after, int limit) {
                return prefix.contains("/")
                    ? inner.list(prefix, after, limit)
                    : CompletableFuture.completedFuture(new TreeMap<>());
              }
            });
  }

  private static Store listsAnyNumber(Store store) {
    return withMetadata(
        store,
        records ->
            new ForwardingParts.Records(records) {
              @Override
              public CompletionStage<SortedMap<String, Bytes>> list(
                  String prefix, String after, int limit) {
                return inner.list(prefix, after, Math.max(1, Math.min(limit, 1_000)));
              }
            });
  }

  private static Store takesEmptyForNone(Store store) {
    return withMetadata(
        store,
        records ->
            new ForwardingParts.Records(records) {
              @Override
              public CompletionStage<@Nullable Bytes> get(String name) {
                return inner
                    .get(name)
                    .thenApply(bytes -> bytes == null || bytes.isEmpty() ? null : bytes);
              }
            });
  }

  private static Store cutsLongRecords(Store store) {
    return withMetadata(
        store,
        records ->
            new ForwardingParts.Records(records) {
              @Override
              public CompletionStage<Boolean> compareAndSet(
                  String name, @Nullable Bytes expected, @Nullable Bytes next) {
                Bytes cut =
                    next == null || next.size() <= MAX_RECORD_BYTES
                        ? next
                        : next.slice(0, MAX_RECORD_BYTES);
                return inner.compareAndSet(name, expected, cut);
              }
            });
  }

  private static Store activatesOnceOnly(Store store) {
    Set<String> activated = ConcurrentHashMap.newKeySet();
    return new ForwardingStore(store) {
      @Override
      public CompletionStage<CollectionRecord> activate(String name, Copy copy, long floor) {
        return activated.add(name)
            ? inner.activate(name, copy, floor)
            : CompletableFuture.failedFuture(new KvException.Permanent("active already"));
      }
    };
  }

  private static Store activatesAboveAnyFloor(Store store) {
    Map<String, Long> floors = new ConcurrentHashMap<>();
    return new ForwardingStore(store) {
      @Override
      public CompletionStage<CollectionRecord> activate(String name, Copy copy, long floor) {
        Long first = floors.putIfAbsent(name, floor);
        return inner
            .activate(name, copy, first == null ? floor : first)
            .thenApply(record -> record.activated(floor));
      }
    };
  }

  private static Store restartsTwice(Store store) {
    return new ForwardingStore(store) {
      @Override
      public CompletionStage<CollectionRecord> restart(
          String name, Layout layout, Copy copy, Copy next) {
        return CollectionRecord.read(inner.metadata(), name)
            .thenCompose(
                found ->
                    inner.restart(
                        name,
                        layout,
                        found == null || found.copy() == null ? copy : found.copy(),
                        Copy.draw("again")));
      }
    };
  }

  /** Opens the first incarnation for ever. */
  private static Store keepsTheOldRows(Store store) {
    Map<String, StoreCollection> first = new ConcurrentHashMap<>();
    return new ForwardingStore(store) {
      @Override
      public CompletionStage<StoreCollection> open(String name, Layout layout, Claim claim) {
        return inner
            .open(name, layout, claim)
            .thenApply(
                opened -> {
                  StoreCollection before = first.putIfAbsent(name, opened);
                  return before == null ? opened : before;
                });
      }
    };
  }

  private static Store drawsVersionsWhileImporting(Store store) {
    return new ForwardingStore(store) {
      @Override
      public CompletionStage<StoreCollection> open(String name, Layout layout, Claim claim) {
        return claim.kind() != Claim.Kind.IMPORTING
            ? inner.open(name, layout, claim)
            : inner
                .open(name, layout, claim)
                .thenApply(
                    opened ->
                        new ForwardingCollection(opened) {
                          @Override
                          public CompletionStage<Long> write(
                              StoreKey key, Mutation mutation, Call call) {
                            return inner.write(
                                key,
                                mutation.version() == null ? mutation.withVersion(1L) : mutation,
                                call);
                          }
                        });
      }
    };
  }

  private static Store makesWhatItLooksAt(Store store) {
    return new ForwardingStore(store) {
      @Override
      public CompletionStage<StoreCollection> open(String name, Layout layout, Claim claim) {
        return inner
            .open(name, layout, claim)
            .exceptionallyCompose(error -> inner.open(name, layout, Claim.ACTIVE));
      }
    };
  }

  private static Store dropsEveryIncarnation(Store store) {
    return new ForwardingStore(store) {
      @Override
      public CompletionStage<Void> drop(String name, long incarnation) {
        return inner.drop(name, 1).thenCompose(first -> inner.drop(name, 2));
      }
    };
  }

  private static Store dropsNothing(Store store) {
    return new ForwardingStore(store) {
      @Override
      public CompletionStage<Void> drop(String name, long incarnation) {
        return CompletableFuture.completedFuture(null);
      }
    };
  }

  private static Store answersFromTheDroppedCopy(Store store) {
    return new ForwardingStore(store) {
      @Override
      protected StoreCollection wrap(StoreCollection collection) {
        return new ForwardingCollection(collection) {
          private final Map<StoreKey, Row> seen = new ConcurrentHashMap<>();

          @Override
          public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
            Row known = seen.get(key);
            return known != null
                ? CompletableFuture.completedFuture(known)
                : inner
                    .get(key, call)
                    .thenApply(
                        row -> {
                          if (row != null) {
                            seen.put(key, row);
                          }
                          return row;
                        });
          }
        };
      }
    };
  }
}
