package dev.kvshift.legacy.wire;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Lock;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.RangePage.Stop;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.SideCounts;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/** Converts the types of the SPI to messages and back. Stateless. */
public final class Messages {
  private static final List<Stop> STOPS =
      List.of(Stop.END, Stop.ENTRY_LIMIT, Stop.BYTE_LIMIT, Stop.SCAN_LIMIT);

  private Messages() {}

  public static ByteString bytes(Bytes bytes) {
    return bytes.isEmpty()
        ? ByteString.EMPTY
        : UnsafeByteOperations.unsafeWrap(bytes.asReadOnlyBuffer());
  }

  public static Bytes bytes(ByteString bytes) {
    return Bytes.of(bytes.asReadOnlyByteBuffer());
  }

  /** Returns the row of a block that holds exactly one. */
  public static Row row(ByteString block) {
    return RowBlock.read(block).get(0);
  }

  public static StoreKey key(ByteString main, ByteString clustering) {
    return StoreKey.of(bytes(main), bytes(clustering));
  }

  public static KeyOf key(StoreKey key) {
    return KeyOf.newBuilder()
        .setMain(bytes(key.main()))
        .setClustering(bytes(key.clustering()))
        .build();
  }

  public static Write write(StoreKey key, Mutation mutation) {
    Write.Builder write =
        Write.newBuilder().setMain(bytes(key.main())).setClustering(bytes(key.clustering()));
    Bytes value = mutation.value();
    if (value != null) {
      write.setValue(bytes(value));
    }
    Instant expiry = mutation.expiry();
    if (expiry != null) {
      write.setExpiryMillis(expiry.toEpochMilli());
    }
    Long version = mutation.version();
    if (version != null) {
      write.setVersion(version);
    }
    Lock lock = mutation.lock();
    if (lock != null) {
      write.setLock(lock(lock));
    }
    return write.build();
  }

  public static Mutation mutation(Write write) {
    return Mutation.of(write.hasValue() ? bytes(write.getValue()) : null)
        .withExpiry(write.hasExpiryMillis() ? Instant.ofEpochMilli(write.getExpiryMillis()) : null)
        .withVersion(write.hasVersion() ? write.getVersion() : null)
        .withLock(write.hasLock() ? lock(write.getLock()) : null);
  }

  public static ReadRange range(Bytes main, Range range, PageLimit limit) {
    ReadRange.Builder read =
        ReadRange.newBuilder()
            .setMain(bytes(main))
            .setFromInclusive(range.fromInclusive())
            .setToInclusive(range.toInclusive())
            .setBackward(range.direction() == Range.Direction.BACKWARD)
            .setEntries(limit.entries())
            .setBytes(limit.bytes());
    Bytes from = range.from();
    if (from != null) {
      read.setFrom(bytes(from));
    }
    Bytes to = range.to();
    if (to != null) {
      read.setTo(bytes(to));
    }
    return read.build();
  }

  public static Range range(ReadRange read) {
    return Range.all()
        .withFrom(read.hasFrom() ? bytes(read.getFrom()) : null, read.getFromInclusive())
        .withTo(read.hasTo() ? bytes(read.getTo()) : null, read.getToInclusive())
        .withDirection(read.getBackward() ? Range.Direction.BACKWARD : Range.Direction.FORWARD);
  }

  /** Returns the message of a page of a range, without its main key. */
  public static Page page(RowPage page) {
    Page.Builder message =
        Page.newBuilder()
            .setRows(RowBlock.withoutMain(page.rows()))
            .setStop(STOPS.indexOf(page.stop()));
    Bytes passed = page.passed();
    if (passed != null) {
      message.setNext(bytes(passed));
    }
    return message.build();
  }

  /** Returns the page of a range of a main key that a message holds. */
  public static RowPage rowPage(Page page, Bytes main) {
    return RowPage.of(
        RowBlock.read(page.getRows(), main),
        STOPS.get(page.getStop()),
        page.hasNext() ? bytes(page.getNext()) : null);
  }

  public static ScanPage scanPage(Page page) {
    return ScanPage.of(
        RowBlock.read(page.getRows()), page.hasNext() ? bytes(page.getNext()) : null);
  }

  public static ChangeSource.Batch changes(Changes message) {
    if (message.hasFenced()) {
      return ChangeSource.Fenced.of(fence(message.getFenced()));
    }
    if (message.hasLifted()) {
      return ChangeSource.Lifted.of(message.getLifted(), message.getPosition());
    }
    List<Row> rows = RowBlock.read(message.getRows());
    List<ChangeSource.Change> changes = new ArrayList<>(rows.size());
    long position = message.getPosition() - rows.size();
    for (Row row : rows) {
      changes.add(ChangeSource.Change.of(++position, row));
    }
    return ChangeSource.Data.of(changes, message.getPosition());
  }

  public static Fence fence(Gate.Fence fence) {
    return Fence.newBuilder()
        .setAttempt(fence.attempt())
        .setVersion(fence.version())
        .setPosition(fence.position())
        .setDeadlineMillis(fence.deadline().toEpochMilli())
        .build();
  }

  public static Gate.Fence fence(Fence fence) {
    return Gate.Fence.of(
        fence.getAttempt(),
        fence.getVersion(),
        fence.getPosition(),
        Instant.ofEpochMilli(fence.getDeadlineMillis()));
  }

  public static GateState state(Gate.State state) {
    GateState.Builder message =
        GateState.newBuilder()
            .setEpoch(state.epoch())
            .setPhase(state.phase().name())
            .setAcceptMin(state.acceptMin())
            .setSealed(state.sealed())
            .setFloor(state.floor())
            .setVersionCeiling(state.versionCeiling())
            .setIncarnation(state.incarnation());
    message
        .setApplied(state.applied())
        .setRamp(state.ramp())
        .setWayBack(state.keepsWayBack())
        .setClockOrdered(state.isClockOrdered());
    Copy copy = state.copy();
    if (copy != null) {
      message.setCopy(copy.toString());
    }
    Gate.Fence fence = state.fence();
    if (fence != null) {
      message.setFence(fence(fence));
    }
    return message.build();
  }

  public static Gate.State state(GateState message) {
    return Gate.State.first()
        .withEpoch(message.getEpoch())
        .withPhase(phase(message.getPhase()))
        .withAcceptMin(message.getAcceptMin())
        .withFence(message.hasFence() ? fence(message.getFence()) : null)
        .withSealed(message.getSealed())
        .withFloor(message.getFloor())
        .withVersionCeiling(message.getVersionCeiling())
        .withIncarnation(message.getIncarnation())
        .withApplied(message.getApplied())
        .withRamp(message.hasRamp() ? message.getRamp() : Gate.State.ALL)
        .withWayBack(message.getWayBack())
        .withClockOrder(message.getClockOrdered())
        .withCopy(message.getCopy().isEmpty() ? null : Copy.parse(message.getCopy()));
  }

  public static LockOf lock(Lock lock) {
    return LockOf.newBuilder()
        .setSpace(lock.space())
        .setKey(bytes(lock.key()))
        .setOwner(lock.owner())
        .setToken(lock.token())
        .setExpiresMillis(lock.expires().toEpochMilli())
        .build();
  }

  public static Lock lock(LockOf message) {
    return Lock.of(
        message.getSpace(),
        bytes(message.getKey()),
        message.getOwner(),
        message.getToken(),
        Instant.ofEpochMilli(message.getExpiresMillis()));
  }

  public static dev.kvshift.spi.Usage usage(Usage message) {
    return dev.kvshift.spi.Usage.of(
        Instant.ofEpochMilli(message.getSinceMillis()),
        message.getClientsList().stream()
            .map(
                use ->
                    dev.kvshift.spi.Usage.Client.of(
                        use.getClient(), Instant.ofEpochMilli(use.getLastSeenMillis())))
            .toList());
  }

  public static Instance instance(String collection, Gate.Instance instance) {
    dev.kvshift.spi.InstanceReport report = instance.report();
    return Instance.newBuilder()
        .setReport(reportWithoutUses(report).addUses(use(collection, instance.use())))
        .setLeaseEndsMillis(instance.leaseEnds().toEpochMilli())
        .build();
  }

  /**
   * Returns the instance that a message holds.
   *
   * @throws KvException.Permanent if it uses none or several collections
   */
  public static Gate.Instance instance(Instance message) {
    dev.kvshift.spi.InstanceReport report = report(message.getReport());
    if (report.uses().size() != 1) {
      throw new KvException.Permanent(
          "the server listed an instance with "
              + report.uses().size()
              + " collections, not one: upgrade the library or the server");
    }
    return Gate.Instance.of(
        report,
        report.uses().values().iterator().next(),
        Instant.ofEpochMilli(message.getLeaseEndsMillis()));
  }

  public static InstanceReport report(dev.kvshift.spi.InstanceReport report) {
    InstanceReport.Builder message = reportWithoutUses(report);
    report.uses().forEach((collection, use) -> message.addUses(use(collection, use)));
    return message.build();
  }

  private static InstanceReport.Builder reportWithoutUses(dev.kvshift.spi.InstanceReport report) {
    return InstanceReport.newBuilder()
        .setInstance(report.instance())
        .setService(report.service())
        .setLibrary(report.library())
        .setNewestPhase(report.newestPhase().name());
  }

  private static Use use(String collection, dev.kvshift.spi.InstanceReport.Use use) {
    SideCounts counts = use.counts();
    Use.Builder message =
        Use.newBuilder()
            .setCollection(collection)
            .setAcknowledged(use.acknowledged())
            .setRequests(counts.requests())
            .setFailures(counts.failures())
            .setMissHits(counts.missHits())
            .setCompared(counts.compared())
            .setDifferent(counts.different())
            .setHeldLocks(use.heldLocks())
            .setClockOrder(use.hasClockOrder());
    Layout layout = use.layout();
    if (layout != null) {
      message.setLayout(layout.toString());
    }
    Copy copy = use.copy();
    if (copy != null) {
      message.setCopy(copy.toString());
    }
    String problem = use.problem();
    if (problem != null) {
      message.setProblem(problem);
    }
    Duration skew = use.skew();
    if (skew != null) {
      message.setSkewMicros(TimeUnit.NANOSECONDS.toMicros(skew.toNanos()));
    }
    Duration uncertainty = use.uncertainty();
    if (uncertainty != null) {
      message.setUncertaintyMicros(TimeUnit.NANOSECONDS.toMicros(uncertainty.toNanos()));
    }
    return message.build();
  }

  /** Returns the report that a message holds. A phase unknown here is newer than all known ones. */
  public static dev.kvshift.spi.InstanceReport report(InstanceReport message) {
    dev.kvshift.spi.InstanceReport report =
        dev.kvshift.spi.InstanceReport.of(message.getInstance(), message.getService())
            .withLibrary(message.getLibrary())
            .withNewestPhase(newestPhase(message.getNewestPhase()));
    for (Use use : message.getUsesList()) {
      report =
          report.withUse(
              use.getCollection(),
              dev.kvshift.spi.InstanceReport.Use.acknowledging(use.getAcknowledged())
                  .withLayout(use.getLayout().isEmpty() ? null : Layout.parse(use.getLayout()))
                  .withCopy(use.getCopy().isEmpty() ? null : Copy.parse(use.getCopy()))
                  .withProblem(use.getProblem().isEmpty() ? null : use.getProblem())
                  .withSkew(
                      use.hasSkewMicros()
                          ? Duration.of(use.getSkewMicros(), ChronoUnit.MICROS)
                          : null)
                  .withUncertainty(
                      use.hasUncertaintyMicros()
                          ? Duration.of(use.getUncertaintyMicros(), ChronoUnit.MICROS)
                          : null)
                  .withHeldLocks(use.getHeldLocks())
                  .withClockOrder(use.getClockOrder())
                  .withCounts(
                      SideCounts.NONE
                          .withRequests(use.getRequests(), use.getFailures())
                          .withMissHits(use.getMissHits())
                          .withComparisons(use.getCompared(), use.getDifferent())));
    }
    return report;
  }

  private static Phase newestPhase(String name) {
    if (name.isEmpty()) {
      return Phase.LEGACY;
    }
    try {
      return Phase.valueOf(name);
    } catch (IllegalArgumentException newer) {
      return Phase.NEW_ONLY;
    }
  }

  public static GateStates states(Map<String, Gate.State> states) {
    GateStates.Builder message = GateStates.newBuilder();
    states.forEach((collection, state) -> message.putStates(collection, state(state)));
    return message.build();
  }

  public static Map<String, Gate.State> states(GateStates message) {
    Map<String, Gate.State> states = new TreeMap<>();
    message.getStatesMap().forEach((collection, state) -> states.put(collection, state(state)));
    return states;
  }

  /**
   * Returns the phase of that name.
   *
   * @throws KvException.Permanent if this version does not know it
   */
  public static Phase phase(String name) {
    try {
      return Phase.valueOf(name);
    } catch (IllegalArgumentException e) {
      throw new KvException.Permanent(
          "the collection is in phase "
              + name
              + ", which this version does not know: upgrade the library",
          e);
    }
  }
}
