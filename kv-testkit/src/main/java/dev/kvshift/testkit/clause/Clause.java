package dev.kvshift.testkit.clause;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvException.UnsupportedCapability;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Lock;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import dev.kvshift.testkit.concurrent.Await;
import dev.kvshift.testkit.fixture.TestClock;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ExtendWith;

/** A clause of the contract: its tests run on the store of a fixture. */
@ExtendWith(ClauseExtension.class)
abstract class Clause {
  private static final long RUN = ThreadLocalRandom.current().nextLong();
  private static final AtomicLong KEYS = new AtomicLong();

  private @Nullable StoreUnderTest tested;

  void use(StoreUnderTest store) {
    tested = store;
  }

  final StoreUnderTest tested() {
    StoreUnderTest store = tested;
    if (store == null) {
      throw new IllegalStateException("clauses run under JUnit only");
    }
    return store;
  }

  final Store store() {
    return tested().store;
  }

  final boolean has(Capability capability) {
    return tested().fixture.capabilities().contains(capability);
  }

  final Layout rangeLayout() {
    return tested().fixture.rangeLayout();
  }

  final Layout pointLayout() {
    return Layout.point();
  }

  /** Returns the shared point collection. */
  final CollectionUnderTest points(CollectionApi api) {
    return tested().through(api, tested().sharedName(pointLayout()), pointLayout());
  }

  final StoreCollection points() {
    return tested().collection(tested().sharedName(pointLayout()), pointLayout());
  }

  /** Returns the shared range collection. */
  final CollectionUnderTest ranges(CollectionApi api) {
    return tested().through(api, tested().sharedName(rangeLayout()), rangeLayout());
  }

  final StoreCollection ranges() {
    return tested().collection(tested().sharedName(rangeLayout()), rangeLayout());
  }

  /** Opens a collection that no other test uses. */
  final StoreCollection fresh(Layout layout) {
    return tested().collection(tested().freshName(), layout);
  }

  /** Returns a main key of 16 bytes that no test has used. */
  static Bytes freshMain() {
    ByteBuffer bytes = ByteBuffer.allocate(2 * Long.BYTES);
    bytes.putLong(RUN).putLong(KEYS.incrementAndGet()).flip();
    return Bytes.of(bytes);
  }

  static StoreKey freshKey() {
    return StoreKey.of(freshMain(), Bytes.empty());
  }

  static Call call() {
    return Call.within(CollectionUnderTest.TIMEOUT);
  }

  static <T extends @Nullable Object> T join(CompletionStage<T> stage) {
    return Await.join(stage);
  }

  static long write(StoreCollection collection, StoreKey key, Mutation mutation) {
    return Await.join(collection.write(key, mutation, call()));
  }

  static @Nullable Row read(StoreCollection collection, StoreKey key) {
    return Await.<@Nullable Row>join(collection.get(key, call()));
  }

  static Bytes hex(String digits) {
    return Bytes.fromHex(digits);
  }

  final Instant serverTime() {
    return Await.join(store().serverTime());
  }

  /** Returns a version below all that are issued now, yet recent enough to be accepted. */
  final long versionAgo(Duration ago) {
    return VersionClock.micros(serverTime().minus(ago));
  }

  final Instant expiryIn(Duration time) {
    return serverTime().plus(time).truncatedTo(ChronoUnit.MILLIS);
  }

  final Duration shortLife() {
    return tested().fixture.shortLife();
  }

  /** Waits until the clocks of the server and of the views have passed the instant. */
  final void awaitPast(Instant instant) {
    if (tested().fixture.clock() instanceof TestClock clock) {
      clock.advancePast(instant);
    } else {
      Await.until(
          "the server's clock passes " + instant,
          () -> Instant.now().isAfter(instant) && serverTime().isAfter(instant));
    }
  }

  static void assertPermanent(Supplier<? extends @Nullable Object> request) {
    Await.failure(KvException.Permanent.class, request);
  }

  static void assertInvalid(Supplier<? extends @Nullable Object> request) {
    Await.failure(KvException.InvalidArgument.class, request);
  }

  static Mutation expiring(Instant expiry) {
    return Mutation.put(hex("01")).withExpiry(expiry);
  }

  /** Asserts that the store refuses requests that need a capability which it does not declare. */
  final void assertRefused(Capability missing) {
    StoreKey key = freshKey();
    switch (missing) {
      case EXPIRY ->
          assertUnsupported(
              missing, () -> points().write(key, expiring(expiryIn(Duration.ofHours(1))), call()));
      case VERSIONED_WRITES ->
          assertUnsupported(
              missing, () -> points().write(key, Mutation.put(hex("01")).withVersion(1L), call()));
      case TOMBSTONE_READS -> {
        write(points(), key, Mutation.put(hex("01")));
        write(points(), key, Mutation.delete());
        assertThat(read(points(), key)).isNull();
      }
      case RANGES ->
          assertUnsupported(
              missing, () -> openAndRange(store(), tested().freshName(), rangeLayout()));
      case LARGE_MAIN_KEYS -> assertThat(store().capabilities()).doesNotContain(missing);
      case DROP -> assertUnsupported(missing, () -> store().drop(points().name(), 1));
      case SCAN -> {
        assertUnsupported(missing, () -> points().scanTasks(1, call()));
        assertUnsupported(missing, () -> points().token(key));
      }
      case CHANGE_SOURCE -> assertUnsupported(missing, () -> points().changes().window());
      case CHANGE_CONSUMERS -> {
        Capability first = has(Capability.CHANGE_SOURCE) ? missing : Capability.CHANGE_SOURCE;
        assertUnsupported(first, () -> points().changes().consumed("kit", 0));
        assertUnsupported(first, () -> points().changes().forget("kit"));
      }
      case GATE -> assertUnsupported(missing, () -> points().gate().state());
      case FENCING ->
          assertUnsupported(
              has(Capability.GATE) ? missing : Capability.GATE,
              () -> points().gate().fence("attempt", FenceOptions.lasting(Duration.ofSeconds(1))));
      case USAGE ->
          assertUnsupported(
              has(Capability.GATE) ? missing : Capability.GATE,
              () -> points().gate().usage(Instant.EPOCH));
      case LOCKS -> {
        assertUnsupported(
            missing,
            () ->
                store().locks("kit").tryLockAll(Set.of(hex("01")), Duration.ofSeconds(1), call()));
        Lock lock = Lock.of("kit", hex("01"), "nobody", 1, Instant.now().plusSeconds(60));
        assertUnsupported(
            missing, () -> points().write(key, Mutation.put(hex("01")).withLock(lock), call()));
        assertThat(read(points(), key)).isNull();
      }
      case LOCK_GATE ->
          assertUnsupported(
              has(Capability.LOCKS) ? missing : Capability.LOCKS,
              () -> store().locks("kit").gate());
      case METADATA -> assertUnsupported(missing, () -> store().metadata().get("kit/none"));
    }
  }

  private static CompletionStage<?> openAndRange(Store store, String name, Layout layout) {
    return store
        .open(name, layout, Claim.ACTIVE)
        .thenCompose(
            opened ->
                opened.range(hex("01"), Bytes.empty(), Range.all(), PageLimit.entries(1), call()));
  }

  private static void assertUnsupported(
      Capability missing, Supplier<? extends @Nullable Object> request) {
    UnsupportedCapability error = Await.failure(UnsupportedCapability.class, request);
    assertThat(error.capability()).isEqualTo(missing);
  }
}
