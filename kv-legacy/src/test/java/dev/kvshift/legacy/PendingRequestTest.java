package dev.kvshift.legacy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.legacy.PendingRequest.Kind;
import dev.kvshift.legacy.wire.Failure;
import dev.kvshift.legacy.wire.Failures;
import dev.kvshift.legacy.wire.Request;
import dev.kvshift.spi.InstancesNotReady;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.StalePhase;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Errors of a server, as this version's client and an older one read them. */
final class PendingRequestTest {
  private static final String SERVER = "legacy://host:1";
  private static final int NEWER = 99;

  static Stream<KvException> errors() {
    return Stream.of(
        new KvException.Transient("t"),
        new KvException.Permanent("p"),
        new KvException.UnknownOutcome("u"),
        new KvException.InvalidArgument("i"),
        new KvException.Overloaded("o"),
        new KvException.CollectionMoved("c"),
        new KvException.CollectionFenced("c", Duration.ofMillis(7)),
        new KvException.UnsupportedCapability(Capability.EXPIRY, SERVER),
        new StalePhase("c", 1, Phase.NEW_ONLY, 2, null),
        new InstancesNotReady("c", List.of()));
  }

  @ParameterizedTest
  @MethodSource("errors")
  void failed_everyKind_arrivesAsItLeft(KvException error) {
    assertThat(write().failed(Failures.of(error), SERVER))
        .isExactlyInstanceOf(error.getClass())
        .hasMessage(error.getMessage());
  }

  @ParameterizedTest
  @MethodSource("errors")
  void failed_kindOfANewerServer_isOneOfTheThree(KvException error) {
    Failure newer = Failures.of(error).toBuilder().setKindValue(NEWER).build();
    KvException read = write().failed(newer, SERVER);
    assertThat(read.isRetryable()).isEqualTo(error.isRetryable());
    assertThat(read.mayHaveBeenApplied()).isEqualTo(error.mayHaveBeenApplied());
  }

  @ParameterizedTest
  @CsvSource({"STALE_PHASE", "NEWER"})
  void failed_unreadable_endsAWriteAsUnknown(String kind) {
    assertThat(write().failed(unreadable(kind), SERVER))
        .isExactlyInstanceOf(KvException.UnknownOutcome.class);
  }

  @Test
  void failed_unreadable_endsAReadAsTransient() {
    PendingRequest read = new PendingRequest(Request.newBuilder(), Kind.READ, 0);
    read.send(0);
    assertThat(read.failed(unreadable("NEWER"), SERVER))
        .isExactlyInstanceOf(KvException.Transient.class);
  }

  @Test
  void failed_capabilityOfANewerServer_isPermanent() {
    Failure failure =
        Failure.newBuilder().setKind(Failure.Kind.UNSUPPORTED).setCapability("TELEPATHY").build();
    assertThat(write().failed(failure, SERVER))
        .isExactlyInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("TELEPATHY");
  }

  private static Failure unreadable(String kind) {
    Failure.Builder failure = Failure.newBuilder().setMessage("m");
    return kind.equals("NEWER")
        ? failure.setKindValue(NEWER).build()
        : failure.setKind(Failure.Kind.valueOf(kind)).setCopy("no copy").build();
  }

  private static PendingRequest write() {
    PendingRequest write = new PendingRequest(Request.newBuilder(), Kind.ONCE, 0);
    write.send(0);
    return write;
  }
}
