package dev.kvshift.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectNestedClass;

import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.platform.engine.FilterResult;
import org.junit.platform.engine.TestDescriptor;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.PostDiscoveryFilter;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/** The kit catches each broken driver by a test that passes on the sound driver. */
final class BrokenDriversTest {
  private static final Pattern SEED = Pattern.compile("-Dkvshift\\.seed=(-?\\d+) ");

  static Stream<Arguments> broken() {
    return Stream.of(
            first(),
            BrokenRows.all(),
            BrokenLives.all(),
            BrokenGates.all(),
            BrokenLogs.all(),
            BrokenRecords.all(),
            BrokenLeases.all())
        .flatMap(each -> each);
  }

  private static Stream<Arguments> first() {
    return Stream.of(
        collection(
            "loses the last write",
            BrokenPoints::losesTheLastWrite,
            DriverKit.PointOperations.class,
            "put_again_replacesTheValue"),
        collection(
            "takes an empty value for a miss",
            BrokenPoints::takesEmptyForMissing,
            DriverKit.PointOperations.class,
            "get_valueOfSize_isWhatWasWritten"),
        collection(
            "joins key parts without a mark",
            BrokenPoints::joinsKeyPartsWithoutMark,
            DriverKit.Ranges.class,
            "get_keysWhosePartsJoinAlike_areKeptApart"),
        collection(
            "compares signed",
            BrokenRanges::comparesSigned,
            DriverKit.Ranges.class,
            "range_bytesAbove7f_sortUnsigned"),
        collection(
            "is off by one at a bound",
            BrokenRanges::takesBoundsForInclusive,
            DriverKit.Ranges.class,
            "range_everyPairOfBounds_givesExactlyWhatLiesWithin"),
        collection(
            "walks forward only",
            BrokenRanges::walksForwardOnly,
            DriverKit.Ranges.class,
            "range_keysThatBeginAlike_shorterComesFirst"),
        collection(
            "takes a short page for the end",
            BrokenRanges::takesShortPagesForTheEnd,
            DriverKit.Paging.class,
            "paging_byBytes_keepsTheLimitUnlessOneEntryIsLarger"),
        collection(
            "ignores the limit of bytes",
            BrokenRanges::ignoresTheByteLimit,
            DriverKit.Paging.class,
            "paging_byBytes_keepsTheLimitUnlessOneEntryIsLarger"),
        collection(
            "ignores expiry",
            BrokenPoints::ignoresExpiry,
            DriverKit.Expiry.class,
            "put_timeToLive_isReadUntilItEndsAndNotAfter"),
        collection(
            "extends a life by a replay",
            BrokenPoints::extendsLifeOnReplay,
            DriverKit.Expiry.class,
            "write_replayed_extendsNoLife"),
        collection(
            "cuts expiry to seconds",
            BrokenPoints::cutsExpiryToSeconds,
            DriverKit.Expiry.class,
            "get_expiringRow_carriesItsExpiryToTheMillisecond"),
        collection(
            "lets an older version win",
            BrokenPoints::letsOlderVersionsWin,
            DriverKit.Versions.class,
            "write_lowerVersion_succeedsWithoutEffect"),
        collection(
            "resurrects what was deleted",
            BrokenPoints::resurrectsDeleted,
            DriverKit.Versions.class,
            "write_belowADelete_staysDeleted"),
        collection(
            "lets the first win a tie",
            BrokenPoints::letsTheFirstWinTies,
            DriverKit.Versions.class,
            "write_twoValuesAtOneVersion_theGreaterStays"),
        collection(
            "reports a time-out as success",
            BrokenPoints::reportsTimeoutAsSuccess,
            DriverKit.Errors.class,
            "write_deadlinePassed_isTransientAndNotApplied_orUnknown"),
        collection(
            "reports an unknown outcome as failure",
            BrokenPoints::reportsUnknownAsFailure,
            DriverKit.Errors.class,
            "write_deadlinePassed_isTransientAndNotApplied_orUnknown"),
        collection(
            "reads twice",
            BrokenPoints::readsTwice,
            DriverKit.Work.class,
            "get_ofAnEntry_isOneRoundTripToOnePartition"),
        collection(
            "reads before it writes",
            BrokenPoints::readsBeforeItWrites,
            DriverKit.Work.class,
            "putAllGetAllDeleteAll_severalKeys_areOneRoundTripForEach"),
        collection(
            "fetches all and cuts the page",
            BrokenRanges::fetchesAllAndCuts,
            DriverKit.Work.class,
            "getRange_pagesOfOneShard_costOneRoundTripEachAndNoOtherEntries"),
        collection(
            "asks every partition for a page",
            BrokenRanges::asksEveryPartition,
            DriverKit.Work.class,
            "getRange_pageOverManyShards_readsThoseItNeedsAndFewAhead"),
        collection(
            "ties positions to itself",
            BrokenRanges::tiesPositionsToItself,
            DriverKit.Scan.class,
            "scan_positionOfOneConnection_goesOnInAnother"),
        collection(
            "scans one page of a task",
            BrokenRanges::scansOnePage,
            DriverKit.Scan.class,
            "scan_tasksAndPages_giveEveryRowOnce"),
        collection(
            "ignores epochs",
            BrokenLeaders::ignoresEpochs,
            DriverKit.Gate.class,
            "request_epochBelowAcceptMin_isStaleAndNotApplied"),
        collection(
            "acknowledges behind the fence",
            BrokenLeaders::acknowledgesBehindTheFence,
            DriverKit.Fence.class,
            "write_whileFenced_waitsAndRunsOnceLifted"),
        collection(
            "logs no deletes",
            BrokenLeaders::logsNoDeletes,
            DriverKit.ChangeSource.class,
            "read_writesAndDeletes_areGivenInCommitOrder"),
        collection(
            "answers from a cache",
            BrokenPoints::answersFromACache,
            DriverKit.Linearizability.class,
            "operations_concurrent_areLinearizablePerKey"),
        collection(
            "fences who is not ready",
            BrokenHandOvers::fencesWhoIsNotReady,
            DriverKit.Gate.class,
            "fenceAndMove_whileAnInstanceCannotFollow_areRefused"),
        collection(
            "forgets the copy",
            BrokenHandOvers::forgetsTheCopy,
            DriverKit.Gate.class,
            "compareAndSet_copy_isKeptAndChangesInLegacyAlone"),
        collection(
            "tells no listener",
            BrokenHandOvers::tellsNoListener,
            DriverKit.Gate.class,
            "listen_stepOfAnother_isHeardWithTheNextReply"),
        collection(
            "publishes no watermark",
            BrokenHandOvers::publishesNoWatermark,
            DriverKit.Gate.class,
            "applied_watermark_risesAndNeverFalls"),
        collection(
            "lists nobody",
            BrokenHandOvers::listsNobody,
            DriverKit.Gate.class,
            "report_instance_isListedWithWhatItSays"),
        collection(
            "gates the runner",
            BrokenHandOvers::gatesTheRunner,
            DriverKit.Gate.class,
            "read_ungated_isServedBySealedLeader"),
        collection(
            "draws a log id each time",
            BrokenHandOvers::drawsALogIdEachTime,
            DriverKit.ChangeSource.class,
            "logId_sameLog_staysTheSame"),
        collection(
            "lives a millisecond longer",
            BrokenHandOvers::livesAMillisecondLonger,
            DriverKit.Expiry.class,
            "get_expiringRow_carriesItsExpiryToTheMillisecond"),
        store(
            "moves one after the other",
            BrokenHandOvers::movesOneAfterTheOther,
            DriverKit.Gate.class,
            "moveAll_oneWithoutItsFence_movesNone"),
        store(
            "takes instances for one",
            BrokenHandOvers::takesInstancesForOne,
            DriverKit.Gate.class,
            "report_instance_isListedWithWhatItSays"),
        store(
            "loses what instances see",
            BrokenHandOvers::losesWhatInstancesSee,
            DriverKit.Gate.class,
            "compareAndSet_stepUpWhileAnInstanceCannotFollow_isRefused"),
        store(
            "reports the first collection alone",
            BrokenHandOvers::reportsTheFirstCollectionAlone,
            DriverKit.Gate.class,
            "report_severalCollections_isOneLeaseForAll"),
        store(
            "takes another copy for its own",
            BrokenHandOvers::activatesAnyCopy,
            DriverKit.Metadata.class,
            "open_importingAnotherCopy_isPermanent"),
        store(
            "writes what is read only",
            BrokenHandOvers::writesWhatIsReadOnly,
            DriverKit.Lifecycle.class,
            "open_forReading_readsAndRefusesEveryWrite"),
        store(
            "lets readers in early",
            BrokenHandOvers::letsReadersInEarly,
            DriverKit.Metadata.class,
            "open_forReading_waitsUntilTheCopyIsOpened"),
        store(
            "opens a store of its own",
            BrokenHandOvers::opensAStoreOfItsOwn,
            DriverKit.Lifecycle.class,
            "open_anotherStore_seesTheSameData"),
        collection(
            "loses a concurrent update",
            BrokenPoints::losesAConcurrentUpdate,
            DriverKit.Concurrency.class,
            "write_oneKeyByManyThreads_losesNone"),
        collection(
            "counts values alone",
            BrokenRanges::countsValuesAlone,
            DriverKit.Paging.class,
            "paging_byBytesOfLongClusteringKeys_countsThem"),
        bare(
            "takes a lock without having any",
            BrokenPoints::ignoresLocks,
            DriverKit.Locks.class,
            "tryLockAll_otherSpace_isFree"),
        store(
            "ignores layouts",
            BrokenHandOvers::ignoresLayouts,
            DriverKit.Metadata.class,
            "open_anotherLayout_isPermanentAndNamesBoth"),
        store(
            "sets without comparing",
            BrokenLeaders::setsWithoutComparing,
            DriverKit.Metadata.class,
            "compareAndSet_expectedValue_replacesIt"),
        store(
            "restarts lock tokens",
            BrokenLeaders::restartsTokens,
            DriverKit.Locks.class,
            "release_thenTryLock_givesAHigherToken"),
        store(
            "leaks a thread on close",
            BrokenLeaders::leaksAThread,
            DriverKit.Lifecycle.class,
            "close_afterWork_leavesNoThreadBehind"),
        store(
            "stays open when closed",
            BrokenLeaders::staysOpenWhenClosed,
            DriverKit.Lifecycle.class,
            "close_thenAnyRequest_isPermanent"));
  }

  @ParameterizedTest(name = "{0}: {3}")
  @org.junit.jupiter.params.provider.MethodSource("broken")
  void kit_brokenDriver_isCaughtByTheNamedTest(
      String how, UnaryOperator<Store> breaking, Class<?> clause, String test, Class<?> kit) {
    TestExecutionSummary sound = run(kit, UnaryOperator.identity(), clause, test);
    assertThat(sound.getFailures())
        .extracting(TestExecutionSummary.Failure::getException)
        .as("%s: the sound driver", how)
        .isEmpty();
    assertThat(sound.getTestsSucceededCount()).as(how).isPositive();
    TestExecutionSummary summary = run(kit, breaking, clause, test);
    assertThat(summary.getTestsFoundCount()).isEqualTo(sound.getTestsFoundCount());
    assertThat(summary.getTestsFailedCount()).as(how).isPositive();
  }

  @Test
  void randomOperations_brokenDriver_printTheSeedAndAShortList() {
    String message = randomFailure();
    Matcher printed = SEED.matcher(message);
    assertThat(printed.find()).isTrue();
    assertThat(message).contains(", the map has ");
    String operations = message.substring(message.indexOf(" after") + " after".length()).strip();
    assertThat(operations.lines())
        .hasSizeBetween(3, 5)
        .allSatisfy(line -> assertThat(line).matches("\\w+\\[.*"));
    String given = System.setProperty("kvshift.seed", printed.group(1));
    try {
      assertThat(randomFailure()).isEqualTo(message);
    } finally {
      if (given == null) {
        System.clearProperty("kvshift.seed");
      } else {
        System.setProperty("kvshift.seed", given);
      }
    }
  }

  private static String randomFailure() {
    TestExecutionSummary summary =
        run(
            BrokenKit.class,
            store -> BrokenLeaders.wrapping(store, BrokenPoints::losesTheLastWrite),
            DriverKit.RandomOperations.class,
            "operations_random_agreeWithAnOrderedMap");
    assertThat(summary.getFailures()).hasSize(1);
    return summary.getFailures().get(0).getException().getMessage();
  }

  private static TestExecutionSummary run(
      Class<?> kit, UnaryOperator<Store> breaking, Class<?> clause, String test) {
    PostDiscoveryFilter named =
        descriptor -> FilterResult.includedIf(isContainer(descriptor) || isNamed(descriptor, test));
    LauncherDiscoveryRequest request =
        LauncherDiscoveryRequestBuilder.request()
            .selectors(selectNestedClass(List.of(kit), clause))
            .filters(named)
            .build();
    SummaryGeneratingListener listener = new SummaryGeneratingListener();
    BrokenFixture.BREAKING.set(breaking);
    LauncherFactory.create().execute(request, listener);
    return listener.getSummary();
  }

  private static boolean isContainer(TestDescriptor descriptor) {
    return descriptor.getSource().filter(MethodSource.class::isInstance).isEmpty();
  }

  private static boolean isNamed(TestDescriptor descriptor, String test) {
    return descriptor
        .getSource()
        .filter(
            source -> source instanceof MethodSource method && method.getMethodName().equals(test))
        .isPresent();
  }

  static Arguments collection(
      String how, UnaryOperator<StoreCollection> breaking, Class<?> clause, String test) {
    return store(how, store -> BrokenLeaders.wrapping(store, breaking), clause, test);
  }

  static Arguments store(String how, UnaryOperator<Store> breaking, Class<?> clause, String test) {
    return Arguments.of(how, breaking, clause, test, BrokenKit.class);
  }

  private static Arguments bare(
      String how, UnaryOperator<StoreCollection> breaking, Class<?> clause, String test) {
    UnaryOperator<Store> store = each -> BrokenLeaders.wrapping(each, breaking);
    return Arguments.of(how, store, clause, test, BareBrokenKit.class);
  }
}
