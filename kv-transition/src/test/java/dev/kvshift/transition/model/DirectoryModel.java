package dev.kvshift.transition.model;

import dev.kvshift.transition.model.DirectoryState.Stage;
import dev.kvshift.transition.model.DirectoryState.Writer;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;

/**
 * One shard of one main key, its row in the directory, and processes that write entries into it. A
 * range read lists the directory first and reads the listed shards afterwards. Processes pause and
 * messages are late or lost at any point; a wipe drops the copy and raises its incarnation.
 *
 * <p>Property: a range returns every entry that was acknowledged or returned before the range
 * began, unless the entry's delete has begun or the copy was dropped.
 */
final class DirectoryModel implements Model<DirectoryState> {
  private final DirectoryScope scope;
  private final Set<DirectoryRule> off;

  /**
   * @param off the rules to leave out
   */
  DirectoryModel(DirectoryScope scope, Set<DirectoryRule> off) {
    this.scope = scope;
    this.off = off;
  }

  private boolean on(DirectoryRule rule) {
    return !off.contains(rule);
  }

  @Override
  public DirectoryState initial() {
    return new DirectoryState(scope);
  }

  @Override
  public DirectoryState copy(DirectoryState state) {
    return state.copy();
  }

  @Override
  public void write(DirectoryState state, ByteBuffer out) {
    state.write(out);
  }

  @Override
  public Optional<String> violation(DirectoryState state) {
    return state.broken.isEmpty() ? Optional.empty() : Optional.of(state.broken);
  }

  @Override
  public void steps(DirectoryState s, Steps<DirectoryState> steps) {
    arrivals(s, steps);
    for (int i = 0; i < s.writers.length; i++) {
      new Turn(s, i, steps).steps();
    }
    reads(s, steps);
    runner(s, steps);
  }

  private void arrivals(DirectoryState s, Steps<DirectoryState> steps) {
    for (int number = 1; number <= s.incarnation; number++) {
      int incarnation = number;
      if (s.isRowInFlight(incarnation)) {
        steps.add(
            "the row arrives in directory " + incarnation,
            t -> {
              t.rowsInFlight &= ~(1 << incarnation);
              t.rows |= 1 << incarnation;
            });
      }
      // A table that was dropped gets nothing any more.
      boolean there = incarnation == s.incarnation || !on(DirectoryRule.TABLE_PER_INCARNATION);
      for (int entry = 2; entry <= s.inFlightTo(incarnation); entry <<= 1) {
        int each = entry & s.inFlightTo(incarnation);
        if (each != 0 && there) {
          steps.add(
              DirectoryState.names(each) + " arrives in copy " + s.incarnation,
              t -> t.arrive(incarnation, each));
        }
      }
    }
  }

  private void reads(DirectoryState s, Steps<DirectoryState> steps) {
    int readable = s.entries & ~s.promised;
    if (s.getsLeft > 0 && readable != 0) {
      int entry = Integer.lowestOneBit(readable);
      steps.add(
          "a get returns " + DirectoryState.names(entry),
          t -> {
            t.getsLeft--;
            t.promised |= entry;
          });
    }
    int deletable = s.entries & s.promised;
    if (s.deletesLeft > 0 && deletable != 0) {
      int entry = Integer.lowestOneBit(deletable);
      steps.add(
          DirectoryState.names(entry) + " is deleted",
          t -> {
            t.deletesLeft--;
            t.deleted |= entry;
            t.entries &= ~entry;
          });
    }
    if (s.reading) {
      steps.add("the range reads the shard if it is listed", DirectoryState::endRange);
    } else if (s.rangesLeft > 0) {
      steps.add(
          "a range lists " + (s.hasRow(s.directoryIncarnation) ? "the shard" : "nothing"),
          DirectoryState::beginRange);
    }
  }

  private void runner(DirectoryState s, Steps<DirectoryState> steps) {
    if (s.wipesLeft > 0) {
      steps.add("the copy is dropped", DirectoryState::wipe);
    }
    if (!on(DirectoryRule.DIRECTORY_ALIGNED) && s.directoryIncarnation < s.incarnation) {
      steps.add(
          "the directory's incarnation is raised", t -> t.directoryIncarnation = t.incarnation);
    }
    boolean row = s.hasRow(s.directoryIncarnation);
    if (!on(DirectoryRule.NEVER_DELETED) && row && !s.foundEmpty && s.entries == 0) {
      steps.add("the janitor finds the shard empty", t -> t.foundEmpty = true);
    }
    if (s.foundEmpty) {
      steps.add("the janitor deletes the row", this::deleteRow);
    }
    if (!on(DirectoryRule.NEVER_EXPIRING) && row) {
      steps.add("the row expires", this::deleteRow);
    }
  }

  private void deleteRow(DirectoryState t) {
    t.rows &= ~(1 << t.directoryIncarnation);
    t.foundEmpty = false;
  }

  /** One writer in one state. */
  private final class Turn {
    private final DirectoryState s;
    private final int index;
    private final Writer me;
    private final Steps<DirectoryState> all;

    Turn(DirectoryState s, int index, Steps<DirectoryState> all) {
      this.s = s;
      this.index = index;
      this.all = all;
      me = s.writers[index];
    }

    private void add(String label, BiConsumer<DirectoryState, Writer> change) {
      all.add((char) ('A' + index) + ": " + label, t -> change.accept(t, t.writers[index]));
    }

    void steps() {
      boolean gone = me.incarnation < s.incarnation;
      switch (me.stage) {
        case IDLE -> {
          if (s.putsLeft > 0) {
            add("put of entry " + (s.puts + 1) + " begins", this::take);
          }
          return;
        }
        case BEGIN -> begin();
        case AWAIT_ROW -> awaitRow();
        case AWAIT_ENTRY -> {
          if (gone && on(DirectoryRule.TABLE_PER_INCARNATION)) {
            add("its table is gone", (t, w) -> open(t, w));
          } else if ((s.inFlightTo(me.incarnation) & me.entry) == 0) {
            add(
                DirectoryState.names(me.entry) + " is acknowledged",
                (t, w) -> {
                  t.acknowledge(w.entry);
                  w.end();
                });
          }
        }
      }
      if (s.lossesLeft > 0) {
        add(
            "gives up " + DirectoryState.names(me.entry),
            (t, w) -> {
              t.lossesLeft--;
              w.end();
            });
      }
    }

    private void take(DirectoryState t, Writer w) {
      t.putsLeft--;
      w.entry = 1 << ++t.puts;
      w.stage = Stage.BEGIN;
    }

    private void begin() {
      if (me.incarnation == 0) {
        add("opens copy " + s.incarnation, (t, w) -> open(t, w));
        return;
      }
      if (me.cached) {
        add("knows the row, sends the entry", this::sendEntry);
        return;
      }
      if (s.hasRow(me.directoryIncarnation)) {
        add(
            "reads the row, sends the entry",
            (t, w) -> {
              w.cached = true;
              sendEntry(t, w);
            });
        return;
      }
      add(
          on(DirectoryRule.ROW_FIRST) ? "sends the row" : "sends the row and the entry",
          (t, w) -> {
            t.rowsInFlight |= 1 << w.directoryIncarnation;
            w.stage = Stage.AWAIT_ROW;
            w.cached = !on(DirectoryRule.CACHE_ACKNOWLEDGED);
            if (!on(DirectoryRule.ROW_FIRST)) {
              t.send(w);
            }
          });
    }

    private void awaitRow() {
      if (!s.isRowInFlight(me.directoryIncarnation)) {
        add(
            "the row is acknowledged, sends the entry",
            (t, w) -> {
              w.cached = true;
              sendEntry(t, w);
            });
      } else if (!on(DirectoryRule.UNKNOWN_ROW_FAILS) && s.lossesLeft > 0) {
        add(
            "the row times out, sends the entry",
            (t, w) -> {
              t.lossesLeft--;
              sendEntry(t, w);
            });
      }
    }

    private void open(DirectoryState t, Writer w) {
      if (on(DirectoryRule.DIRECTORY_ALIGNED)) {
        t.directoryIncarnation = t.incarnation;
      }
      w.incarnation = t.incarnation;
      w.directoryIncarnation = t.directoryIncarnation;
      w.cached &= !on(DirectoryRule.CACHE_PER_INCARNATION);
      w.stage = Stage.BEGIN;
    }

    private void sendEntry(DirectoryState t, Writer w) {
      t.send(w);
      w.stage = Stage.AWAIT_ENTRY;
    }
  }
}
