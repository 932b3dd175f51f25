package dev.kvshift.legacy.wire;

import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.StalePhase;
import java.time.Duration;

/** Errors as messages and back, with their kind and their data. Stateless. */
public final class Failures {
  private Failures() {}

  /** Returns the message of an error. */
  public static Failure of(KvException error) {
    Failure.Builder failure = Failure.newBuilder().setMessage(String.valueOf(error.getMessage()));
    if (error instanceof KvException.UnsupportedCapability unsupported) {
      failure.setKind(Failure.Kind.UNSUPPORTED).setCapability(unsupported.capability().name());
    } else if (error instanceof StalePhase stale) {
      failure
          .setKind(Failure.Kind.STALE_PHASE)
          .setCollection(stale.collection())
          .setEpoch(stale.epoch())
          .setPhase(stale.phase().name())
          .setFloor(stale.floor())
          .setCopy(stale.copy() == null ? "" : stale.copy().toString());
    } else if (error instanceof KvException.CollectionFenced fenced) {
      failure
          .setKind(Failure.Kind.FENCED)
          .setCollection(fenced.collection())
          .setRemainingMillis(Math.max(0, fenced.remaining().toMillis()));
    } else if (error instanceof KvException.Transient) {
      failure.setKind(Failure.Kind.TRANSIENT);
    } else if (error instanceof KvException.UnknownOutcome) {
      failure.setKind(Failure.Kind.UNKNOWN_OUTCOME);
    }
    return failure.build();
  }

  /**
   * Returns the error of a message.
   *
   * @param store the description of the store that sent it
   */
  public static KvException read(Failure failure, String store) {
    return switch (failure.getKind()) {
      case TRANSIENT -> new KvException.Transient(failure.getMessage());
      case UNKNOWN_OUTCOME -> new KvException.UnknownOutcome(failure.getMessage());
      case UNSUPPORTED ->
          new KvException.UnsupportedCapability(Capability.valueOf(failure.getCapability()), store);
      case STALE_PHASE ->
          new StalePhase(
              failure.getCollection(),
              failure.getEpoch(),
              Phase.valueOf(failure.getPhase()),
              failure.getFloor(),
              failure.getCopy().isEmpty() ? null : Copy.parse(failure.getCopy()));
      case FENCED ->
          new KvException.CollectionFenced(
              failure.getCollection(), Duration.ofMillis(failure.getRemainingMillis()));
      case PERMANENT, UNRECOGNIZED -> new KvException.Permanent(failure.getMessage());
    };
  }
}
