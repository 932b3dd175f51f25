package dev.kvshift.legacy.server;

import dev.kvshift.api.KvException;
import dev.kvshift.legacy.wire.Request;
import dev.kvshift.spi.CollectionRecord;
import io.grpc.Context;
import java.util.Locale;

/** The requests that a token allows. Each role includes those before it. */
enum Role {
  /** Read and write rows, take locks, and report as an instance. */
  SERVE,
  /** Scan, read changes, and work the gate. */
  MIGRATE,
  /** Drop collections, and let one be filled by a migration. */
  ADMINISTER;

  /** The role of the caller of a call. */
  static final Context.Key<Role> OF_CALL = Context.keyWithDefault("role", SERVE);

  private static final String INSTANCES = "instance-";
  private static final String COLLECTIONS = CollectionRecord.metadataName("");

  private static Role needed(Request request) {
    return switch (request.getBodyCase()) {
      case DROP -> ADMINISTER;
      case SCAN,
          CHANGES,
          WINDOW,
          LOG_ID,
          CONSUMED,
          FORGET_CONSUMER,
          COMPARE_AND_SET,
          RAISE_FENCE,
          LIFT,
          MOVE,
          MOVE_ALL,
          SEAL,
          APPLIED,
          REASSERT,
          USAGE ->
          MIGRATE;
      case SET_RECORD -> neededToSet(request.getSetRecord().getName());
      default -> SERVE;
    };
  }

  /**
   * Returns the role that a record needs: services keep their leases, a runner everything else, and
   * a collection's record decides whether its rows are dropped.
   */
  private static Role neededToSet(String record) {
    if (record.startsWith(INSTANCES)) {
      return SERVE;
    }
    return record.startsWith(COLLECTIONS) ? ADMINISTER : MIGRATE;
  }

  boolean includes(Role other) {
    return compareTo(other) >= 0;
  }

  /**
   * Checks that the role allows a request.
   *
   * @throws KvException.Permanent if it does not
   */
  void require(Request request) {
    Role needed = needed(request);
    if (!includes(needed)) {
      throw new KvException.Permanent(
          "the token of this connection may "
              + this
              + ", and this request needs one that may "
              + needed
              + ": use such a token");
    }
  }

  /** Returns the word for the role in a token file. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
