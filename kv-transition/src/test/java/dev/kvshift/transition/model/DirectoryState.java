package dev.kvshift.transition.model;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * A state of {@link DirectoryModel}. Each put has an entry of its own; a set of entries is a bit
 * mask, and so is a set of incarnations.
 */
final class DirectoryState {
  private static final int MAX_INCARNATION = 3;

  /** The entries' incarnation, raised by a wipe, and the directory's. */
  int incarnation = 1;

  int directoryIncarnation = 1;

  /** The incarnations of the directory that have the shard's row, and those to which it is sent. */
  int rows;

  int rowsInFlight;

  /** The entries of the current incarnation. */
  int entries;

  /** By incarnation: the entries that are sent to it. */
  private int[] inFlight = new int[MAX_INCARNATION + 1];

  /** The entries of the current incarnation that were acknowledged or returned. */
  int promised;

  /** The entries whose delete has begun. */
  int deleted;

  int puts;

  /** True while the janitor has found the shard empty and is about to delete its row. */
  boolean foundEmpty;

  // The range read in progress
  boolean reading;
  boolean listed;
  int readsIncarnation;
  int expected;

  int putsLeft;
  int deletesLeft;
  int getsLeft;
  int rangesLeft;
  int wipesLeft;
  int lossesLeft;

  Writer[] writers;

  /** The property that the step into this state has violated; empty if none. */
  String broken = "";

  /** The next action of a writer. */
  enum Stage {
    IDLE,
    /** Has an entry to write. */
    BEGIN,
    /** Waits for the acknowledgement of the directory row. */
    AWAIT_ROW,
    /** Waits for the acknowledgement of the entry. */
    AWAIT_ENTRY
  }

  /** A process that writes entries. */
  static final class Writer {
    /** The incarnations that it has opened; 0: none yet. */
    int incarnation;

    int directoryIncarnation;

    /** True once it knows that the row exists. */
    boolean cached;

    Stage stage = Stage.IDLE;

    /** The entry in progress, as a bit. */
    int entry;

    private Writer copy() {
      Writer copy = new Writer();
      copy.incarnation = incarnation;
      copy.directoryIncarnation = directoryIncarnation;
      copy.cached = cached;
      copy.stage = stage;
      copy.entry = entry;
      return copy;
    }

    void end() {
      stage = Stage.IDLE;
      entry = 0;
    }

    @SuppressWarnings("EnumOrdinal") // The number lives no longer than the walk.
    private int packed() {
      int bits = incarnation << 2 | directoryIncarnation;
      bits = bits << 1 | (cached ? 1 : 0);
      bits = bits << 3 | stage.ordinal();
      return bits << 8 | entry;
    }
  }

  DirectoryState(DirectoryScope scope) {
    putsLeft = scope.puts();
    deletesLeft = scope.deletes();
    getsLeft = scope.gets();
    rangesLeft = scope.ranges();
    wipesLeft = scope.wipes();
    lossesLeft = scope.losses();
    writers = new Writer[scope.writers()];
    for (int i = 0; i < writers.length; i++) {
      writers[i] = new Writer();
    }
  }

  private DirectoryState(DirectoryState other) {
    incarnation = other.incarnation;
    directoryIncarnation = other.directoryIncarnation;
    rows = other.rows;
    rowsInFlight = other.rowsInFlight;
    entries = other.entries;
    inFlight = other.inFlight.clone();
    promised = other.promised;
    deleted = other.deleted;
    puts = other.puts;
    foundEmpty = other.foundEmpty;
    reading = other.reading;
    listed = other.listed;
    readsIncarnation = other.readsIncarnation;
    expected = other.expected;
    putsLeft = other.putsLeft;
    deletesLeft = other.deletesLeft;
    getsLeft = other.getsLeft;
    rangesLeft = other.rangesLeft;
    wipesLeft = other.wipesLeft;
    lossesLeft = other.lossesLeft;
    writers = new Writer[other.writers.length];
    for (int i = 0; i < writers.length; i++) {
      writers[i] = other.writers[i].copy();
    }
  }

  DirectoryState copy() {
    return new DirectoryState(this);
  }

  boolean hasRow(int anIncarnation) {
    return (rows >> anIncarnation & 1) != 0;
  }

  boolean isRowInFlight(int anIncarnation) {
    return (rowsInFlight >> anIncarnation & 1) != 0;
  }

  int inFlightTo(int anIncarnation) {
    return inFlight[anIncarnation];
  }

  void send(Writer writer) {
    inFlight[writer.incarnation] |= writer.entry;
  }

  /** An entry arrives at a table; a later delete hides it. */
  void arrive(int anIncarnation, int entry) {
    inFlight[anIncarnation] &= ~entry;
    entries |= entry & ~deleted;
  }

  /** Promises an entry, unless the copy that it arrived in was dropped. */
  void acknowledge(int entry) {
    promised |= entry & (entries | deleted);
  }

  /** All entries are dropped, with all that was promised about them. */
  void wipe() {
    wipesLeft--;
    incarnation++;
    entries = 0;
    promised = 0;
    foundEmpty = false;
  }

  void beginRange() {
    rangesLeft--;
    reading = true;
    listed = hasRow(directoryIncarnation);
    readsIncarnation = incarnation;
    expected = promised & ~deleted;
  }

  void endRange() {
    int returned = listed ? entries : 0;
    int missing = expected & ~returned & ~deleted;
    if (readsIncarnation == incarnation && missing != 0) {
      broken = "lost entry: a range lacks " + names(missing);
    }
    promised |= readsIncarnation == incarnation ? returned : 0;
    reading = false;
    listed = false;
    readsIncarnation = 0;
    expected = 0;
  }

  static String names(int entries) {
    StringBuilder names = new StringBuilder();
    for (int number = 1; number < Integer.SIZE; number++) {
      if ((entries >> number & 1) != 0) {
        names.append(names.isEmpty() ? "" : ", ").append("entry ").append(number);
      }
    }
    return names.toString();
  }

  void write(ByteBuffer out) {
    out.put((byte) incarnation).put((byte) directoryIncarnation);
    out.put((byte) rows).put((byte) rowsInFlight).put((byte) entries);
    for (int each : inFlight) {
      out.put((byte) each);
    }
    out.put((byte) promised).put((byte) deleted).put((byte) puts);
    out.put((byte) ((foundEmpty ? 1 : 0) | (reading ? 2 : 0) | (listed ? 4 : 0)));
    out.put((byte) readsIncarnation).put((byte) expected);
    out.put((byte) putsLeft).put((byte) deletesLeft).put((byte) getsLeft);
    out.put((byte) rangesLeft).put((byte) wipesLeft).put((byte) lossesLeft);
    int[] packed = new int[writers.length];
    for (int i = 0; i < writers.length; i++) {
      packed[i] = writers[i].packed();
    }
    // The order of the writers makes no difference.
    Arrays.sort(packed);
    for (int each : packed) {
      out.putInt(each);
    }
  }
}
