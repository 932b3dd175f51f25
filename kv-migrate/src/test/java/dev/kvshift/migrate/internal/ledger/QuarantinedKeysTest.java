package dev.kvshift.migrate.internal.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.spi.Store;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class QuarantinedKeysTest {
  private static final Bytes KEY = Bytes.utf8("key");

  private final Store store = MemoryStoreProvider.open(UUID.randomUUID().toString());
  private final Ledger ledger =
      new Ledger(store.metadata(), "files", Duration.ofSeconds(1), Clock.systemUTC());
  private final QuarantinedKeys keys = new QuarantinedKeys(ledger);

  @AfterEach
  void close() {
    store.close();
  }

  @ParameterizedTest
  @ValueSource(
      ints = {0, 1, 32 << 10, (32 << 10) + 1, 64 << 10, (64 << 10) + 1, 128 << 10, 140_000})
  void add_keyOfAnyLength_isKept(int length) {
    Bytes key = key(length);

    assertThat(keys.add(key, 5, "too large", 7)).isTrue();

    assertThat(list()).hasSize(1);
    assertThat(list().get(0).topicKey()).isEqualTo(key);
    assertThat(list().get(0).record().reason()).isEqualTo("too large");
  }

  @Test
  void add_sameKeyAgain_keepsTheNewestRow() {
    assertThat(keys.add(KEY, 5, "five", 1)).isTrue();
    assertThat(keys.add(KEY, 4, "four", 2)).isFalse();
    assertThat(keys.add(KEY, 5, "five again", 3)).isFalse();
    assertThat(list().get(0).record()).isEqualTo(QuarantinedKey.of(KEY, 5, "five", 1));

    assertThat(keys.add(KEY, 6, "six", 4)).isFalse();
    assertThat(list().get(0).record()).isEqualTo(QuarantinedKey.of(KEY, 6, "six", 4));
    assertThat(keys.count()).isEqualTo(1);
  }

  @Test
  void remove_keyRejectedAgainMeanwhile_keepsIt() {
    keys.add(KEY, 5, "five", 1);
    QuarantinedKeys.Entry judged = list().get(0);
    keys.add(KEY, 6, "six", 2);

    assertThat(keys.remove(judged)).isFalse();
    assertThat(keys.count()).isEqualTo(1);
    assertThat(keys.remove(list().get(0))).isTrue();
    assertThat(keys.count()).isZero();
  }

  @Test
  void accept_sameRowRejectedAgain_staysOut() {
    Instant at = Instant.parse("2026-11-28T05:54:43Z");
    keys.add(KEY, 5, "five", 1);
    keys.accept(list().get(0), OptionalLong.of(3), at);

    assertThat(keys.add(KEY, 5, "five again", 2)).isFalse();
    assertThat(keys.add(KEY, 4, "four", 3)).isFalse();

    assertThat(keys.count()).isZero();
    assertThat(keys.accepted())
        .containsExactly(
            new QuarantinedKeys.Accepted(
                QuarantinedKeys.digest(KEY),
                new AcceptedLoss(
                    QuarantinedKey.of(KEY, 5, "five", 1),
                    OptionalLong.of(3),
                    Machine.user(),
                    Machine.name(),
                    at),
                KEY));

    assertThat(keys.add(KEY, 6, "six", 4)).isTrue();
    assertThat(keys.count()).isEqualTo(1);
    assertThat(keys.accepted()).isEmpty();
  }

  @Test
  void covers_otherRowOnEitherSide_isFalse() {
    AcceptedLoss loss =
        new AcceptedLoss(
            QuarantinedKey.of(KEY, 5, "five", 1),
            OptionalLong.empty(),
            "jane",
            "db-1",
            Instant.EPOCH);

    assertThat(loss.covers(OptionalLong.of(5), OptionalLong.empty())).isTrue();
    assertThat(loss.covers(OptionalLong.of(6), OptionalLong.empty())).isFalse();
    assertThat(loss.covers(OptionalLong.empty(), OptionalLong.empty())).isFalse();
    assertThat(loss.covers(OptionalLong.of(5), OptionalLong.of(3))).isFalse();
  }

  @Test
  void accept_rejectedAgainMeanwhile_staysQuarantined() {
    keys.add(KEY, 5, "five", 1);
    QuarantinedKeys.Entry judged = list().get(0);
    keys.add(KEY, 6, "six", 2);

    assertThatThrownBy(() -> keys.accept(judged, OptionalLong.empty(), Instant.EPOCH))
        .isExactlyInstanceOf(MigrationException.CutoverRefused.class)
        .hasMessageEndingWith(" was rejected again meanwhile: look at it, and drop it again");
    assertThat(keys.count()).isEqualTo(1);
  }

  @Test
  void accept_moreThanTheLimit_isRefused() {
    for (int i = 0; i <= QuarantinedKeys.MAX_ACCEPTED; i++) {
      keys.add(key(10 + i), 5, "five", 1);
    }
    List<QuarantinedKeys.Entry> all = list();
    for (int i = 0; i < QuarantinedKeys.MAX_ACCEPTED; i++) {
      keys.accept(all.get(i), OptionalLong.empty(), Instant.EPOCH);
    }

    assertThatThrownBy(
            () ->
                keys.accept(
                    all.get(QuarantinedKeys.MAX_ACCEPTED), OptionalLong.empty(), Instant.EPOCH))
        .isExactlyInstanceOf(MigrationException.CutoverRefused.class)
        .hasMessageStartingWith("256 lost keys are accepted already, and that is the limit");
    assertThat(keys.count()).isEqualTo(1);
  }

  @Test
  void remove_longKey_canBeAddedAgain() {
    Bytes key = key(100_000);
    keys.add(key, 5, "five", 1);
    assertThat(keys.remove(list().get(0))).isTrue();
    assertThat(list()).isEmpty();

    assertThat(keys.add(key, 6, "six", 2)).isTrue();
    assertThat(list().get(0).topicKey()).isEqualTo(key);
  }

  @Test
  void forEach_longKeyOfAnOlderRunner_isThereWithoutItsKey() {
    ledger.put(QuarantinedKey.ALL.in("d5cd"), new QuarantinedKey(5, "too large", 1, null, 0));

    assertThat(list()).hasSize(1);
    assertThat(list().get(0).topicKey()).isNull();
  }

  private List<QuarantinedKeys.Entry> list() {
    List<QuarantinedKeys.Entry> entries = new ArrayList<>();
    keys.forEach(entries::add);
    return entries;
  }

  private static Bytes key(int length) {
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      bytes[i] = (byte) (i * 31 + i / 1_000);
    }
    return Bytes.of(Arrays.copyOf(bytes, length));
  }
}
