package dev.kvshift.testkit;

/** What a {@link FaultInjectingStore} does to one request. */
public enum Fault {
  /** Nothing: it is served. */
  NONE,
  /** It is served a few milliseconds later than others. */
  DELAY,
  /** It fails with {@code Transient}; nothing is applied. */
  TRANSIENT,
  /** A write fails with {@code UnknownOutcome} and is never applied; a read as TRANSIENT. */
  UNKNOWN_NOT_APPLIED,
  /** A write fails with {@code UnknownOutcome} and has been applied; a read as TRANSIENT. */
  UNKNOWN_APPLIED,
  /** A write fails with {@code UnknownOutcome} and is applied later; a read as TRANSIENT. */
  UNKNOWN_LATE,
  /** The process ends before the request is sent: it and all later ones fail. */
  CRASH_BEFORE,
  /** The process ends once the request is applied: it and all later ones fail. */
  CRASH_AFTER
}
