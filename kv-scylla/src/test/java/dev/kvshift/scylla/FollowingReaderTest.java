package dev.kvshift.scylla;

import static org.assertj.core.api.Assertions.assertThat;

import com.datastax.oss.driver.api.core.servererrors.InvalidQueryException;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.ForwardingCollection;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.testkit.concurrent.Await;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A reader whose collection's migration begins again, over incarnations that a test chooses. */
final class FollowingReaderTest {
  private static final StoreKey KEY = StoreKey.of(Bytes.utf8("k"), Bytes.empty());

  private final Store store = MemoryStoreProvider.open(UUID.randomUUID().toString());
  private final AtomicLong nanos = new AtomicLong();
  private final Life first = life("old");
  private final Life second = life("new");
  private final Collections opener = new Collections();
  private final FollowingReader reader =
      new FollowingReader(new FollowingReader.Incarnation(first, 1), opener, nanos::get);

  @AfterEach
  void close() {
    store.close();
  }

  /** The incarnation that the record names, and the result of opening it. */
  private final class Collections implements FollowingReader.Opener {
    private long record = 1;
    private @Nullable KvException unreadable;
    private int looks;
    private int routineLooks;
    private int openings;

    @Override
    public CompletionStage<Long> current(boolean isRoutine) {
      looks++;
      routineLooks += isRoutine ? 1 : 0;
      return CompletableFuture.completedFuture(record);
    }

    @Override
    public CompletionStage<FollowingReader.Incarnation> open() {
      openings++;
      return unreadable != null
          ? CompletableFuture.failedFuture(unreadable)
          : CompletableFuture.completedFuture(new FollowingReader.Incarnation(second, record));
    }
  }

  /** The rows of one incarnation, which a server refuses once its table is gone. */
  private static final class Life extends ForwardingCollection {
    private boolean dropped;

    Life(StoreCollection inner) {
      super(inner);
    }

    @Override
    public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
      return dropped
          ? CompletableFuture.failedFuture(
              new KvException.Permanent("refused", new InvalidQueryException(null, "no table")))
          : inner.get(key, call);
    }
  }

  private Life life(String value) {
    StoreCollection rows = Await.join(store.open(value, Layout.point(), Claim.ACTIVE));
    Await.join(rows.write(KEY, Mutation.put(Bytes.utf8(value)), call()));
    return new Life(rows);
  }

  @Test
  void get_sameIncarnation_isReadAndLookedAtAgainAfterAWhile() {
    assertThat(read()).isEqualTo("old");
    assertThat(opener.looks).isZero();
    advance(FollowingReader.LOOK_EVERY);
    assertThat(read()).isEqualTo("old");
    assertThat(read()).isEqualTo("old");
    assertThat(opener.looks).isEqualTo(1);
    assertThat(opener.routineLooks).isEqualTo(1);
    assertThat(opener.openings).isZero();
  }

  @Test
  void get_oldTableGone_isAnsweredByTheNextIncarnation() {
    first.dropped = true;
    opener.record = 2;
    assertThat(read()).isEqualTo("new");
    assertThat(read()).isEqualTo("new");
    assertThat(opener.openings).isEqualTo(1);
  }

  @Test
  void getAll_oldTableGone_isAnsweredByTheNextIncarnation() {
    first.dropped = true;
    opener.record = 2;
    StoreKey missing = StoreKey.of(Bytes.utf8("missing"), Bytes.empty());
    for (int i = 0; i < 2; i++) {
      List<CompletionStage<@Nullable Row>> rows = reader.getAll(List.of(KEY, missing), call());
      assertThat(Await.<@Nullable Row>join(rows.get(0)))
          .extracting(Row::value)
          .isEqualTo(Bytes.utf8("new"));
      assertThat(Await.<@Nullable Row>join(rows.get(1))).isNull();
    }
    assertThat(opener.openings).isEqualTo(1);
  }

  @Test
  void get_oldTableStillThere_isLeftAfterTheLook() {
    opener.record = 2;
    assertThat(read()).isEqualTo("old");
    advance(FollowingReader.LOOK_EVERY);
    read();
    assertThat(read()).isEqualTo("new");
  }

  @Test
  void get_nextIncarnationNotReadableYet_failsWithItsErrorAndNeverGoesBack() {
    opener.record = 2;
    opener.unreadable = new KvException.Transient("still being copied");
    first.dropped = true;
    assertThat(failure()).isSameAs(opener.unreadable);
    first.dropped = false;
    assertThat(failure()).isSameAs(opener.unreadable);
    assertThat(opener.openings).isEqualTo(1);
    opener.unreadable = null;
    advance(FollowingReader.OPEN_AGAIN_AFTER);
    assertThat(read()).isEqualTo("new");
  }

  @Test
  void get_refusedInTheSameIncarnation_keepsTheServersError() {
    first.dropped = true;
    assertThat(failure()).hasMessage("refused");
    assertThat(opener.looks).isEqualTo(1);
    assertThat(opener.routineLooks).isZero();
    assertThat(opener.openings).isZero();
  }

  private String read() {
    Row row = Await.<@Nullable Row>join(reader.get(KEY, call()));
    return row == null || row.value() == null ? "" : row.value().toUtf8();
  }

  private KvException failure() {
    return Await.failure(() -> reader.get(KEY, call()));
  }

  private void advance(Duration time) {
    nanos.addAndGet(time.toNanos());
  }

  private static Call call() {
    return Call.within(Duration.ofSeconds(10));
  }
}
