package dev.kvshift.transition.model;

import static dev.kvshift.transition.model.LockRule.AUTHORITY_DRAWS;
import static dev.kvshift.transition.model.LockRule.CHECK_AFTER_REPLY;
import static dev.kvshift.transition.model.LockRule.FLOOR_AT_MOVE;
import static dev.kvshift.transition.model.LockRule.IMPORTING_REFUSES;
import static dev.kvshift.transition.model.LockRule.LAST_GRANT_DRAWS;
import static dev.kvshift.transition.model.LockRule.MOVED_REFUSES;
import static dev.kvshift.transition.model.LockRule.MOVES_LAST;
import static dev.kvshift.transition.model.LockRule.NEXT_TOKEN_ABOVE_RANGE;
import static dev.kvshift.transition.model.LockRule.NONE_HELD;
import static dev.kvshift.transition.model.LockRule.POST_CHECK;
import static dev.kvshift.transition.model.LockRule.READ_UNDER_LOCK;
import static dev.kvshift.transition.model.LockRule.TOKENS_ABOVE_FLOOR;
import static dev.kvshift.transition.model.LockRule.TOKEN_CHECKED;
import static dev.kvshift.transition.model.LockRule.WRITE_CARRIES_LOCK;

import dev.kvshift.transition.model.LockState.Cell;
import dev.kvshift.transition.model.LockState.Client;
import dev.kvshift.transition.model.LockState.GateState;
import dev.kvshift.transition.model.LockState.Grant;
import dev.kvshift.transition.model.LockState.Message;
import dev.kvshift.transition.model.LockState.Stage;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.Set;

/**
 * One lock that moves from L to S, and a counter that clients increment under it, while its data
 * move, too: first from dual-write to new-only, later the lock. A lease may end at any moment, a
 * client may pause at any point, and a message to S may arrive at any later time, or never. The
 * mover may die at any point; a fence may be lifted at any moment.
 *
 * <p>Properties:
 *
 * <ul>
 *   <li>No acknowledged count is lost.
 *   <li>Never are two leases of the lock held at once, by the clocks of their authorities.
 *   <li>A token of S is above every token of L.
 * </ul>
 *
 * <p>S's clock is behind L's throughout, so that only the floor keeps its tokens above. A client of
 * S alone stands for services on {@code scylla://}; it begins once the data are in new-only.
 */
final class LockModel implements Model<LockState> {
  static final int NOBODY = -1;

  /** The versions that belong to one token of S. */
  private static final int RANGE = 3;

  private final LockScope scope;
  private final Set<LockRule> off;

  /**
   * The bounds of a walk.
   *
   * @param clients how many clients of {@code transition://} there are
   * @param ofNewStore how many clients of S alone there are
   * @param turns how often each client takes the lock
   * @param attempts how often the mover raises a fence
   */
  record LockScope(int clients, int ofNewStore, int turns, int attempts) {}

  /**
   * @param off the rules to leave out
   */
  LockModel(LockScope scope, Set<LockRule> off) {
    this.scope = scope;
    this.off = off;
  }

  private boolean on(LockRule rule) {
    return !off.contains(rule);
  }

  @Override
  public LockState initial() {
    return new LockState(scope.clients() + scope.ofNewStore());
  }

  @Override
  public LockState copy(LockState state) {
    return state.copy();
  }

  @Override
  public void write(LockState state, ByteBuffer out) {
    state.write(out);
  }

  @Override
  public void steps(LockState s, Steps<LockState> steps) {
    for (int i = 0; i < s.inFlight.size(); i++) {
      Message message = s.inFlight.get(i);
      steps.add(
          "S gets " + message.write() + " of " + name(message.client()), t -> arrive(t, message));
    }
    leaseEnds(s.onLeader, "L", steps, true);
    leaseEnds(s.onNewStore, "S", steps, false);
    mover(s, steps);
    for (int i = 0; i < s.clients.length; i++) {
      client(s, i, steps);
    }
  }

  private static void arrive(LockState t, Message message) {
    t.inFlight.remove(message);
    t.newStore = t.newStore.with(message.write());
    Client client = t.clients[message.client()];
    if (client.stage == Stage.SENT && client.turn == message.turn()) {
      client.stage = Stage.REPLIED;
    }
  }

  private static void leaseEnds(
      Grant grant, String where, Steps<LockState> steps, boolean onLeader) {
    if (grant.isHeld()) {
      steps.add(
          "the lease of " + name(grant.owner) + " ends on " + where,
          t -> (onLeader ? t.onLeader : t.onNewStore).ended = true);
    }
  }

  private void mover(LockState s, Steps<LockState> steps) {
    if (!s.newOnly) {
      steps.add(
          "the data move into new-only, drained",
          t -> {
            t.newOnly = true;
            t.newStore = t.newStore.with(t.leader);
          });
    }
    if (s.gate == GateState.OPEN
        && s.attempts < scope.attempts()
        && (s.newOnly || !on(MOVES_LAST))) {
      steps.add(
          "the mover raises the fence",
          t -> {
            t.gate = GateState.FENCED;
            t.attempts++;
            t.floor = ++t.drawn;
          });
    }
    if (s.gate == GateState.FENCED) {
      steps.add("the fence is lifted", t -> t.gate = GateState.OPEN);
    }
    if (s.gate == GateState.FENCED && !(on(NONE_HELD) && s.onLeader.isHeld())) {
      steps.add(
          "L moves the lock space",
          t -> {
            t.gate = GateState.MOVED;
            if (on(FLOOR_AT_MOVE)) {
              t.floor = t.drawn;
            }
          });
    }
    if (s.gate == GateState.MOVED && !s.active) {
      steps.add("the mover activates the lock space on S", t -> t.active = true);
    }
  }

  private void client(LockState s, int i, Steps<LockState> steps) {
    Client client = s.clients[i];
    switch (client.stage) {
      case IDLE -> {
        if (client.turn < scope.turns()) {
          take(s, i, steps);
        }
      }
      case HELD -> {
        read(s, i, Stage.READ, steps);
        if (!on(READ_UNDER_LOCK)) {
          steps.add(name(i) + " uses its early read", t -> t.clients[i].stage = Stage.READ);
        }
      }
      case READ -> write(s, i, steps);
      case CHECKED -> send(s, i, steps);
      case SENT ->
          steps.add(name(i) + " waits for no answer", t -> t.clients[i].stage = Stage.DONE);
      case REPLIED -> {
        boolean acknowledges = acknowledges(s, client, i);
        steps.add(
            name(i) + (acknowledges ? " acknowledges" : " leaves its write open"),
            t -> {
              t.clients[i].stage = Stage.DONE;
              if (acknowledges) {
                t.acknowledged |= bit(i, client.turn);
              }
            });
      }
      case DONE -> leave(s, i, steps);
    }
  }

  private boolean isOfNewStore(int i) {
    return i >= scope.clients();
  }

  private void take(LockState s, int i, Steps<LockState> steps) {
    Client client = s.clients[i];
    if (!on(READ_UNDER_LOCK) && client.base != (s.newOnly ? s.newStore : s.leader).counted()) {
      read(s, i, Stage.IDLE, steps);
    }
    if (isOfNewStore(i)) {
      if (s.newOnly && (s.active || !on(IMPORTING_REFUSES))) {
        takeOnNew(s, i, s.active ? s.floor : 0, steps);
      }
    } else if (client.knowsMove) {
      takeOnNew(s, i, s.floor, steps);
    } else if (s.gate == GateState.MOVED && on(MOVED_REFUSES)) {
      steps.add(name(i) + " learns of the move", t -> t.clients[i].knowsMove = true);
    } else if (!s.onLeader.isHeld() && s.gate != GateState.FENCED) {
      steps.add(
          name(i) + " takes the lock on L",
          t -> {
            t.onLeader.to(i, ++t.drawn);
            hold(t.clients[i], t.onLeader.token, false);
          });
    }
  }

  private void takeOnNew(LockState s, int i, int floor, Steps<LockState> steps) {
    if (s.onNewStore.isHeld()) {
      return;
    }
    int token = Math.max(s.onNewStore.least, on(TOKENS_ABOVE_FLOOR) ? floor + 1 : 1);
    steps.add(
        name(i) + " takes the lock on S with token " + token,
        t -> {
          t.onNewStore.to(i, token);
          t.onNewStore.least = on(NEXT_TOKEN_ABOVE_RANGE) ? token + RANGE : token + 1;
          hold(t.clients[i], token, true);
        });
  }

  private static void hold(Client client, int token, boolean onNew) {
    client.stage = Stage.HELD;
    client.lockOnNew = onNew;
    client.token = token;
    client.end = token + RANGE;
  }

  private static void read(LockState s, int i, Stage next, Steps<LockState> steps) {
    int counted = (s.newOnly ? s.newStore : s.leader).counted();
    steps.add(
        name(i) + " reads " + Integer.toBinaryString(counted),
        t -> {
          t.clients[i].stage = next;
          t.clients[i].base = counted;
        });
  }

  private void write(LockState s, int i, Steps<LockState> steps) {
    Client client = s.clients[i];
    if (!s.newOnly) {
      boolean refused =
          on(WRITE_CARRIES_LOCK) && on(TOKEN_CHECKED) && client.token < s.onLeader.token;
      steps.add(
          name(i) + (refused ? " is refused by L" : " writes to L"),
          t -> {
            if (refused) {
              t.clients[i].stage = Stage.DONE;
              return;
            }
            Cell cell = new Cell(++t.drawn, client.base | bit(i, client.turn));
            t.leader = cell;
            sent(t, i, cell, false);
          });
    } else if (!on(WRITE_CARRIES_LOCK)) {
      byOwnClock(s, i, false, steps);
    } else if (!on(AUTHORITY_DRAWS)) {
      byOwnClock(s, i, true, steps);
    } else if (client.lockOnNew) {
      boolean held = !on(LAST_GRANT_DRAWS) || s.onNewStore.isLast(i, client.token);
      steps.add(
          name(i) + (held ? " holds the lock" : " has lost the lock"),
          t -> t.clients[i].stage = held ? Stage.CHECKED : Stage.DONE);
    } else {
      drawOnLeader(s, i, steps);
    }
  }

  private void drawOnLeader(LockState s, int i, Steps<LockState> steps) {
    Client client = s.clients[i];
    boolean held =
        !(s.gate == GateState.MOVED && on(MOVED_REFUSES))
            && (!on(LAST_GRANT_DRAWS) || s.onLeader.isLast(i, client.token));
    steps.add(
        name(i) + (held ? " gets a version from L and writes to S" : " gets no version from L"),
        t -> {
          if (!held) {
            t.clients[i].stage = Stage.DONE;
            return;
          }
          t.drawn = Math.max(t.drawn, t.newStore.version()) + 1;
          sent(t, i, new Cell(t.drawn, client.base | bit(i, client.turn)), true);
        });
  }

  /** Draws a version of the token's range, which a compare-and-set of the last grant extends. */
  private void send(LockState s, int i, Steps<LockState> steps) {
    Client client = s.clients[i];
    int version = Math.max(client.token, s.newStore.version() + 1);
    boolean extend = version >= client.end;
    if (extend && on(LAST_GRANT_DRAWS) && !s.onNewStore.isLast(i, client.token)) {
      steps.add(name(i) + " has lost the lock", t -> t.clients[i].stage = Stage.DONE);
      return;
    }
    steps.add(
        name(i) + " writes v" + version + " to S",
        t -> {
          if (extend) {
            t.clients[i].end = version + RANGE;
            t.onNewStore.least = Math.max(t.onNewStore.least, version + RANGE);
          }
          sent(t, i, new Cell(version, client.base | bit(i, client.turn)), true);
        });
  }

  private void byOwnClock(LockState s, int i, boolean guarded, Steps<LockState> steps) {
    Client client = s.clients[i];
    for (int ahead = 0; ahead <= RANGE; ahead += RANGE) {
      Cell cell = new Cell(s.newStore.version() + 1 + ahead, client.base | bit(i, client.turn));
      steps.add(name(i) + " writes " + cell + " to S", t -> sent(t, i, cell, guarded));
    }
  }

  private static void sent(LockState t, int i, Cell cell, boolean guarded) {
    Client client = t.clients[i];
    client.stage = Stage.SENT;
    client.version = cell.version();
    client.guarded = guarded;
    client.heldBefore = isLast(t, client, i);
    t.inFlight.add(new Message(i, client.turn, cell));
  }

  private static boolean isLast(LockState s, Client client, int i) {
    return (client.lockOnNew ? s.onNewStore : s.onLeader).isLast(i, client.token);
  }

  /** A write of dual-write is acknowledged by L and S; one of new-only once its lock was read. */
  private boolean acknowledges(LockState s, Client client, int i) {
    if (!client.guarded || !on(POST_CHECK)) {
      return true;
    }
    if (!on(CHECK_AFTER_REPLY)) {
      return client.heldBefore;
    }
    boolean moved = !client.lockOnNew && s.gate == GateState.MOVED && on(MOVED_REFUSES);
    return !moved && isLast(s, client, i);
  }

  private static void leave(LockState s, int i, Steps<LockState> steps) {
    Client client = s.clients[i];
    if (isLast(s, client, i)) {
      steps.add(
          name(i) + " releases the lock",
          t -> {
            Grant grant = client.lockOnNew ? t.onNewStore : t.onLeader;
            grant.released = true;
            if (client.lockOnNew) {
              grant.least = Math.max(client.version, client.token) + 1;
            }
            idle(t.clients[i]);
          });
    }
    steps.add(name(i) + " goes away", t -> idle(t.clients[i]));
  }

  private static void idle(Client client) {
    client.stage = Stage.IDLE;
    client.turn++;
    client.lockOnNew = false;
    client.token = 0;
    client.end = 0;
    client.base = 0;
    client.version = 0;
    client.guarded = false;
    client.heldBefore = false;
  }

  @Override
  public Optional<String> violation(LockState s) {
    int counted = (s.newOnly ? s.newStore : s.leader).counted();
    if ((s.acknowledged & ~counted) != 0) {
      return Optional.of("an acknowledged count is lost: " + Integer.toBinaryString(counted));
    }
    if (s.onLeader.isHeld() && s.onNewStore.isHeld()) {
      return Optional.of(
          "two hold the lock: " + name(s.onLeader.owner) + " and " + name(s.onNewStore.owner));
    }
    if (s.onNewStore.owner != NOBODY && s.onNewStore.token <= s.onLeader.token) {
      return Optional.of(
          "token " + s.onNewStore.token + " of S is not above " + s.onLeader.token + " of L");
    }
    return Optional.empty();
  }

  private int bit(int i, int turn) {
    return 1 << (i * scope.turns() + turn);
  }

  private static String name(int i) {
    return String.valueOf((char) ('A' + i));
  }
}
