package dev.kvshift.testkit.fault;

/** The fate of one request to a {@link FaultInjectingStore}. */
public enum Fault {
  /** The request is served. */
  NONE,
  /** The request is served a few milliseconds later. */
  DELAY,
  /** The request fails with {@code Transient}; a write is not applied. */
  TRANSIENT,
  /** A write fails with {@code UnknownOutcome} and is never applied; a read fails as TRANSIENT. */
  UNKNOWN_NOT_APPLIED,
  /** A write fails with {@code UnknownOutcome} after being applied; a read fails as TRANSIENT. */
  UNKNOWN_APPLIED,
  /** A write fails with {@code UnknownOutcome} and is applied later; a read fails as TRANSIENT. */
  UNKNOWN_LATE,
  /** The process crashes before it sends the request: this and all later requests fail. */
  CRASH_BEFORE,
  /** The process crashes after the request is applied: this and all later requests fail. */
  CRASH_AFTER
}
