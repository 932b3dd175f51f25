package dev.kvshift.legacy.wire;

import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.InstancesNotReady;
import dev.kvshift.spi.StalePhase;
import java.time.Duration;

/** Errors as messages and back, with their kind and their data. Stateless. */
public final class Failures {
  /** Maximum number of instances that a refusal names on the wire. */
  private static final int MAX_OBSTACLES = 100;

  private Failures() {}

  /** Returns the message of an error. */
  public static Failure of(KvException error) {
    Failure.Builder failure =
        Failure.newBuilder().setMessage(String.valueOf(error.getMessage())).setBase(base(error));
    if (error instanceof KvException.UnsupportedCapability unsupported) {
      failure.setKind(Failure.Kind.UNSUPPORTED).setCapability(unsupported.capability().name());
    } else if (error instanceof StalePhase stale) {
      failure
          .setKind(Failure.Kind.STALE_PHASE)
          .setCollection(stale.collection())
          .setEpoch(stale.epoch())
          .setPhase(stale.phase().name())
          .setFloor(stale.floor())
          .setCopy(stale.copy() == null ? "" : stale.copy().toString())
          .setClockOrdered(stale.isClockOrdered());
    } else if (error instanceof KvException.CollectionFenced fenced) {
      failure
          .setKind(Failure.Kind.FENCED)
          .setCollection(fenced.collection())
          .setRemainingMillis(Math.max(0, fenced.remaining().toMillis()));
    } else if (error instanceof InstancesNotReady notReady) {
      failure.setKind(Failure.Kind.NOT_READY).setCollection(notReady.collection());
      notReady.obstacles().stream()
          .limit(MAX_OBSTACLES)
          .forEach(
              obstacle ->
                  failure.addObstacles(
                      Obstacle.newBuilder()
                          .setInstance(obstacle.instance())
                          .setService(obstacle.service())
                          .setReason(obstacle.reason())));
    } else if (error instanceof KvException.CollectionMoved moved) {
      failure.setKind(Failure.Kind.MOVED).setCollection(moved.collection());
    } else if (error instanceof KvException.InvalidArgument) {
      failure.setKind(Failure.Kind.INVALID_ARGUMENT);
    } else if (error instanceof KvException.Overloaded) {
      failure.setKind(Failure.Kind.OVERLOADED);
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
   * @throws RuntimeException if this version cannot read the error
   */
  public static KvException read(Failure failure, String store) {
    return switch (failure.getKind()) {
      case TRANSIENT -> new KvException.Transient(failure.getMessage());
      case UNKNOWN_OUTCOME -> new KvException.UnknownOutcome(failure.getMessage());
      case UNSUPPORTED -> unsupported(failure, store);
      case STALE_PHASE ->
          new StalePhase(
                  failure.getCollection(),
                  failure.getEpoch(),
                  Messages.phase(failure.getPhase()),
                  failure.getFloor(),
                  failure.getCopy().isEmpty() ? null : Copy.parse(failure.getCopy()))
              .withClockOrder(failure.getClockOrdered());
      case FENCED ->
          new KvException.CollectionFenced(
              failure.getCollection(), Duration.ofMillis(failure.getRemainingMillis()));
      case NOT_READY ->
          new InstancesNotReady(
              failure.getCollection(),
              failure.getObstaclesList().stream()
                  .map(
                      obstacle ->
                          InstancesNotReady.Obstacle.of(
                              obstacle.getInstance(), obstacle.getService(), obstacle.getReason()))
                  .toList());
      case MOVED -> new KvException.CollectionMoved(failure.getCollection());
      case INVALID_ARGUMENT -> new KvException.InvalidArgument(failure.getMessage());
      case OVERLOADED -> new KvException.Overloaded(failure.getMessage());
      case PERMANENT -> new KvException.Permanent(failure.getMessage());
      case UNRECOGNIZED -> ofBase(failure);
    };
  }

  private static Failure.Base base(KvException error) {
    if (error instanceof KvException.Transient) {
      return Failure.Base.IS_TRANSIENT;
    }
    return error instanceof KvException.UnknownOutcome
        ? Failure.Base.IS_UNKNOWN_OUTCOME
        : Failure.Base.IS_PERMANENT;
  }

  /** Unpacks an error of a kind that only a newer server knows. */
  private static KvException ofBase(Failure failure) {
    return switch (failure.getBase()) {
      case IS_PERMANENT -> new KvException.Permanent(failure.getMessage());
      case IS_TRANSIENT -> new KvException.Transient(failure.getMessage());
      case IS_UNKNOWN_OUTCOME -> new KvException.UnknownOutcome(failure.getMessage());
      case UNSPECIFIED, UNRECOGNIZED ->
          throw new IllegalArgumentException(
              "error of an unknown kind, " + failure.getKindValue() + ": " + failure.getMessage());
    };
  }

  private static KvException unsupported(Failure failure, String store) {
    try {
      return new KvException.UnsupportedCapability(
          Capability.valueOf(failure.getCapability()), store);
    } catch (IllegalArgumentException newer) {
      return new KvException.Permanent(
          store + " does not support " + failure.getCapability(), newer);
    }
  }
}
