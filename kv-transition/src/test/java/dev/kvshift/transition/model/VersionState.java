package dev.kvshift.transition.model;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The data of {@link VersionModel}. Times are in ticks, versions eight to a tick. */
final class VersionState {
  /** A write, begun and written at a time. */
  record Write(int time, int version) {}

  /**
   * What a measurement has found.
   *
   * @param monotonic the process's monotonic clock at the measurement
   * @param gap how far its wall clock was ahead of the monotonic one then
   * @param low how far the target's time is ahead of the monotonic clock, at least
   * @param high at most
   */
  record Measured(int monotonic, int gap, int low, int high) {}

  /** A process that draws versions. */
  static final class Writer {
    /** How far the monotonic clock is ahead of the true time. */
    int monotonic;

    /** How far the wall clock is ahead of the monotonic one. */
    int gap;

    @Nullable Measured measured;
    int measurements;

    /** The clocks when the running measurement was begun; null if none runs. */
    @Nullable Measured asked;

    /** The servers that have answered, one bit each, and their earliest and latest time. */
    int answered;

    int earliest;
    int latest;
    int writes;
    int reads;
    int last;
    int seen;

    private Writer copy() {
      Writer copy = new Writer();
      copy.monotonic = monotonic;
      copy.gap = gap;
      copy.measured = measured;
      copy.measurements = measurements;
      copy.asked = asked;
      copy.answered = answered;
      copy.earliest = earliest;
      copy.latest = latest;
      copy.writes = writes;
      copy.reads = reads;
      copy.last = last;
      copy.seen = seen;
      return copy;
    }

    private void write(ByteBuffer out) {
      out.put((byte) monotonic).put((byte) gap).put((byte) measurements).put((byte) answered);
      out.put((byte) earliest).put((byte) latest).put((byte) writes).put((byte) reads);
      out.putShort((short) last).putShort((short) seen);
      write(out, measured);
      write(out, asked);
    }

    private static void write(ByteBuffer out, @Nullable Measured measured) {
      if (measured == null) {
        out.put((byte) 0);
        return;
      }
      out.put((byte) 1).put((byte) measured.monotonic).put((byte) measured.gap);
      out.put((byte) measured.low).put((byte) measured.high);
    }
  }

  final Writer[] writers;
  final List<Write> written;

  /** The true time. */
  int now;

  /** The largest distance between the earliest and the latest time of a process at a draw. */
  int widest;

  int failures;
  int suspensions;
  int steps;
  @Nullable String violation;

  VersionState(int writers) {
    this(new Writer[writers], new ArrayList<>());
    for (int i = 0; i < writers; i++) {
      this.writers[i] = new Writer();
    }
  }

  private VersionState(Writer[] writers, List<Write> written) {
    this.writers = writers;
    this.written = written;
  }

  VersionState copy() {
    Writer[] copies = new Writer[writers.length];
    for (int i = 0; i < copies.length; i++) {
      copies[i] = writers[i].copy();
    }
    VersionState copy = new VersionState(copies, new ArrayList<>(written));
    copy.now = now;
    copy.widest = widest;
    copy.failures = failures;
    copy.suspensions = suspensions;
    copy.steps = steps;
    return copy;
  }

  void write(ByteBuffer out) {
    for (Writer writer : writers) {
      writer.write(out);
    }
    out.put((byte) now).put((byte) widest);
    out.put((byte) failures).put((byte) suspensions).put((byte) steps);
    written.stream()
        .sorted((one, other) -> one.version - other.version)
        .forEach(each -> out.put((byte) each.time).putShort((short) each.version));
  }
}
