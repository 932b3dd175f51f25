package dev.kvshift.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.spi.Phase;
import dev.kvshift.spi.StalePhase;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

final class KvExceptionTest {
  @Test
  void transientKinds_areRetryableAndNotApplied() {
    List<KvException> kinds =
        List.of(
            new KvException.Transient("t"),
            new KvException.Overloaded("o"),
            new KvException.CollectionFenced("c", Duration.ofMillis(5)));
    assertThat(kinds)
        .allSatisfy(
            kind -> {
              assertThat(kind).isInstanceOf(KvException.Transient.class);
              assertThat(kind.isRetryable()).isTrue();
              assertThat(kind.mayHaveBeenApplied()).isFalse();
            });
  }

  @Test
  void permanentKinds_areNeitherRetryableNorApplied() {
    List<KvException> kinds =
        List.of(
            new KvException.Permanent("p"),
            new KvException.InvalidArgument("i"),
            new KvException.UnsupportedCapability(Capability.LOCKS, "memory://m"),
            new KvException.CollectionMoved("c"),
            new StalePhase("c", 3, Phase.NEW_ONLY, 4, null));
    assertThat(kinds)
        .allSatisfy(
            kind -> {
              assertThat(kind).isInstanceOf(KvException.Permanent.class);
              assertThat(kind.isRetryable()).isFalse();
              assertThat(kind.mayHaveBeenApplied()).isFalse();
            });
  }

  @Test
  void unknownOutcome_isNotRetryableBlindly_andMayHaveBeenApplied() {
    KvException unknown = new KvException.UnknownOutcome("u");
    assertThat(unknown.isRetryable()).isFalse();
    assertThat(unknown.mayHaveBeenApplied()).isTrue();
  }

  @Test
  void collectionMoved_andStalePhase_nameTheCollection() {
    assertThat(new KvException.CollectionMoved("files"))
        .hasMessage(
            "collection files has moved to another store: connect through transition:// or to the"
                + " new store")
        .returns("files", KvException.CollectionMoved::collection);
    assertThat(new StalePhase("files", 3, Phase.NEW_ONLY, 4, null))
        .isInstanceOf(KvException.CollectionMoved.class)
        .hasMessage(
            "collection files is in phase NEW_ONLY (epoch 3) and refuses older epochs: connect"
                + " through transition:// or to the new store")
        .returns("files", KvException.CollectionMoved::collection);
  }
}
