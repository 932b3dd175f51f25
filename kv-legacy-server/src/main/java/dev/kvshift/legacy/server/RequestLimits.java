package dev.kvshift.legacy.server;

import dev.kvshift.api.KvException;
import dev.kvshift.legacy.wire.LegacyLimits;
import dev.kvshift.legacy.wire.LockOf;
import dev.kvshift.legacy.wire.Request;
import dev.kvshift.legacy.wire.SetRecord;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.StoreLocks;
import java.util.Collection;

/**
 * Limits of a request's texts and lists, checked before anything is made of them. The lengths of
 * keys and values are checked with the collection's limits. Stateless.
 */
final class RequestLimits {
  /** The longest name, in characters: of a collection, an attempt, a consumer, a lock's owner. */
  static final int MAX_NAME_CHARS = 512;

  /** Maximum number of names in a list. */
  static final int MAX_NAMES = 1_000;

  private RequestLimits() {}

  /**
   * Checks a request.
   *
   * @throws KvException.InvalidArgument if it exceeds a limit
   */
  static void check(Request request) {
    switch (request.getBodyCase()) {
      case OPEN -> name(request.getOpen().getName());
      case DROP -> name(request.getDrop().getName());
      case WRITE -> {
        if (request.getWrite().hasLock()) {
          lock(request.getWrite().getLock());
        }
      }
      case COMPARE_AND_SET -> {
        name(request.getCompareAndSet().getExpected().getFence().getAttempt());
        name(request.getCompareAndSet().getNext().getFence().getAttempt());
      }
      case RAISE_FENCE -> {
        name(request.getRaiseFence().getAttempt());
        names(request.getRaiseFence().getGivenUpList());
      }
      case LIFT -> name(request.getLift().getAttempt());
      case MOVE -> name(request.getMove().getAttempt());
      case MOVE_ALL -> {
        names(request.getMoveAll().getAttemptsMap().keySet());
        names(request.getMoveAll().getAttemptsMap().values());
      }
      case CONSUMED -> name(request.getConsumed().getConsumer());
      case FORGET_CONSUMER -> name(request.getForgetConsumer());
      case REPORT -> report(request);
      case LOCK_ALL -> {
        name(request.getLockAll().getSpace());
        count("keys", request.getLockAll().getKeysCount(), StoreLocks.MAX_KEYS);
      }
      case RENEW -> lock(request.getRenew().getLock());
      case RELEASE -> lock(request.getRelease());
      case LOCK_VERSION -> lock(request.getLockVersion().getLock());
      case LOCK_HELD -> lock(request.getLockHeld());
      case LOCK_SPACE -> name(request.getLockSpace());
      case RECORD -> LegacyLimits.checkRecordName(request.getRecord());
      case LIST_RECORDS -> {
        name(request.getListRecords().getAfter());
        LegacyLimits.checkListing(
            request.getListRecords().getPrefix(), request.getListRecords().getLimit());
      }
      case SET_RECORD -> {
        SetRecord change = request.getSetRecord();
        LegacyLimits.checkRecordName(change.getName());
        LegacyLimits.checkRecordBytes(change.getName(), change.getNext().size());
      }
      default -> {}
    }
  }

  private static void report(Request request) {
    count("collections", request.getReport().getUsesCount(), InstanceReport.MAX_USES);
    name(request.getReport().getInstance());
    request.getReport().getUsesList().forEach(use -> name(use.getCollection()));
  }

  private static void lock(LockOf lock) {
    name(lock.getSpace());
    name(lock.getOwner());
  }

  private static void names(Collection<String> names) {
    count("names", names.size(), MAX_NAMES);
    names.forEach(RequestLimits::name);
  }

  private static void name(String name) {
    if (name.length() > MAX_NAME_CHARS) {
      throw new KvException.InvalidArgument(
          "a name of "
              + name.length()
              + " characters, the limit is "
              + MAX_NAME_CHARS
              + ": make it shorter");
    }
  }

  private static void count(String what, int count, int limit) {
    if (count > limit) {
      throw new KvException.InvalidArgument(
          "a request with " + count + " " + what + ", the limit is " + limit + ": send several");
    }
  }
}
