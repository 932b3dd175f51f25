package dev.kvshift.scylla.internal.lock;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The lock design as a state machine: clients that increment a counter under a lock. Requests take
 * effect at any later time or never, replies are lost, clients pause for any time, and their clocks
 * differ. A breadth-first search visits every state once.
 *
 * <p>Invariant: every acknowledged increment is in the row, whatever happens afterwards.
 */
final class LockModel {
  static final int LEASE = 2;
  static final int RANGE = 3;
  static final int SKEW = 1;
  private static final int START = 1;
  private static final int END = 4;
  private static final int MAX_TURNS = 2;

  /** A rule of the design, which can be left out. */
  enum Rule {
    /** A write's version is in the range of its lock's token, instead of drawn from the clock. */
    VERSION_FROM_TOKEN,
    /** The next token is above that range. */
    NEXT_TOKEN_ABOVE_RANGE,
    /** A holder reads once it has the lock. */
    READ_UNDER_LOCK,
    /** An attempt without an answer holds nothing unless its row says so. */
    UNKNOWN_RESOLVED,
    /** No two attempts name the same owner. */
    OWNER_PER_ATTEMPT,
    /** The row of a lock outlives the lease and the release. */
    ROW_STAYS,
    /** No version is drawn once a release has been begun. */
    RELEASE_ENDS_WRITES
  }

  /** The condition under which a write is acknowledged. */
  enum Acknowledge {
    ALWAYS,
    CLOCK,
    CLOCK_LESS_SKEW,
    SERIAL_READ
  }

  /** The clients' knowledge of the time. */
  enum Clocks {
    /** Each clock is right or ahead by {@link #SKEW}, so leases exclude other clients. */
    WITHIN_SKEW,
    /** Each clock returns any time whenever it is read, so leases exclude no client. */
    WRONG
  }

  /**
   * The bounds of a search.
   *
   * @param turns how often each client tries to take the lock
   * @param threads whether a holder renews and releases while its own write is in flight
   */
  record Bounds(List<Integer> turns, Clocks clocks, boolean threads) {
    int clients() {
      return turns.size();
    }
  }

  /** The result of a search: the number of states, and the steps to the first violation. */
  record Found(int states, @Nullable List<String> violation) {}

  private enum Phase {
    IDLE,
    GRABBING,
    HELD,
    READ,
    WRITING,
    REPLIED,
    DONE
  }

  private record Row(int owner, int token, int expires, int least) {
    static final Row NEVER = new Row(0, 0, 0, 0);

    @Override
    public int hashCode() {
      return mixed(owner, token, expires, least);
    }

    boolean isHeldBy(Row grant) {
      return owner == grant.owner && token == grant.token && expires != 0;
    }
  }

  private record Cell(int version, int counted) {
    @Override
    public int hashCode() {
      return mixed(version, counted);
    }

    Cell with(Cell written) {
      return written.version > version || (written.version == version && written.counted > counted)
          ? written
          : this;
    }
  }

  /** A request in flight: a change of the lock's row, or of the cell if that is given. */
  private record Request(int client, int turn, Row expected, Row next, @Nullable Cell write) {
    @Override
    public int hashCode() {
      return mixed(client, turn, expected.hashCode(), next.hashCode(), Objects.hashCode(write));
    }
  }

  private record Client(
      Phase phase,
      int turn,
      Row grant,
      int base,
      int last,
      boolean released,
      boolean renewed,
      @Nullable Row reply) {
    static final Client NEW = new Client(Phase.IDLE, 0, Row.NEVER, 0, 0, false, false, null);

    @Override
    public int hashCode() {
      return mixed(
          phase.hashCode(),
          turn,
          grant.hashCode(),
          base,
          last,
          released ? 1 : 0,
          renewed ? 1 : 0,
          Objects.hashCode(reply));
    }

    Client to(Phase next) {
      int kept = next == Phase.REPLIED || next == Phase.DONE ? 0 : base;
      return new Client(next, turn, grant, kept, last, released, renewed, null);
    }

    Client grabbing(Row wanted) {
      return new Client(Phase.GRABBING, turn, wanted, base, wanted.token - 1, false, false, null);
    }

    Client reading(Phase next, int counted) {
      return new Client(next, turn, grant, counted, last, released, renewed, null);
    }

    Client writing(int version) {
      return new Client(Phase.WRITING, turn, grant, base, version, released, renewed, null);
    }

    Client releasing() {
      return new Client(phase, turn, grant, base, last, true, renewed, reply);
    }

    Client renewing() {
      return new Client(phase, turn, grant, base, last, released, true, reply);
    }

    Client hearing(Row row) {
      return new Client(phase, turn, grant, base, last, released, renewed, row);
    }

    Client ended() {
      return new Client(Phase.IDLE, turn + 1, Row.NEVER, 0, 0, false, false, null);
    }

    boolean awaits(Request request) {
      return turn == request.turn
          && reply == null
          && (request.write != null ? phase == Phase.WRITING : phase == Phase.GRABBING);
    }
  }

  private record State(
      int time, Row row, Cell cell, int acknowledged, List<Client> clients, Set<Request> requests) {
    @Override
    public int hashCode() {
      return mixed(
          time,
          row.hashCode(),
          cell.hashCode(),
          acknowledged,
          clients.hashCode(),
          requests.hashCode());
    }

    State withClient(int i, Client client) {
      List<Client> changed = new ArrayList<>(clients);
      changed.set(i, client);
      return new State(time, row, cell, acknowledged, List.copyOf(changed), requests);
    }

    State sending(Request request) {
      Set<Request> more = new HashSet<>(requests);
      more.add(request);
      return new State(time, row, cell, acknowledged, clients, Set.copyOf(more));
    }

    State acknowledging(int count) {
      return new State(time, row, cell, acknowledged | count, clients, requests);
    }
  }

  private record Step(String what, State next) {}

  private record Origin(@Nullable State before, String what) {}

  private final Set<Rule> rules;
  private final Acknowledge acknowledge;
  private final Bounds bounds;
  private final List<Integer> skews;
  private final List<Step> steps = new ArrayList<>();

  private LockModel(Set<Rule> rules, Acknowledge acknowledge, Bounds bounds, List<Integer> skews) {
    this.rules = rules;
    this.acknowledge = acknowledge;
    this.bounds = bounds;
    this.skews = skews;
  }

  /** Searches with all combinations of clocks, until a violation is found. */
  static Found search(Set<Rule> without, Acknowledge acknowledge, Bounds bounds) {
    Set<Rule> rules = EnumSet.allOf(Rule.class);
    rules.removeAll(without);
    int states = 0;
    int clocks = bounds.clocks() == Clocks.WRONG ? 1 : bounds.clients();
    for (int ahead = 0; ahead < clocks; ahead++) {
      List<Integer> skews = new ArrayList<>();
      for (int client = 0; client < bounds.clients(); client++) {
        skews.add(client < ahead ? SKEW : 0);
      }
      Found found = new LockModel(rules, acknowledge, bounds, skews).search();
      states += found.states();
      if (found.violation() != null) {
        return new Found(states, found.violation());
      }
    }
    return new Found(states, null);
  }

  private Found search() {
    State first =
        new State(
            START,
            Row.NEVER,
            new Cell(0, 0),
            0,
            Collections.nCopies(bounds.clients(), Client.NEW),
            Set.of());
    Map<State, Origin> seen = new HashMap<>();
    ArrayDeque<State> waiting = new ArrayDeque<>();
    seen.put(first, new Origin(null, "clocks " + skews));
    waiting.add(first);
    while (!waiting.isEmpty()) {
      State state = waiting.remove();
      if ((state.acknowledged & ~state.cell.counted) != 0) {
        return new Found(seen.size(), path(seen, state));
      }
      for (Step step : steps(state)) {
        State next = pruned(step.next);
        if (!seen.containsKey(next)) {
          seen.put(next, new Origin(state, step.what));
          waiting.add(next);
        }
      }
    }
    return new Found(seen.size(), null);
  }

  private static List<String> path(Map<State, Origin> seen, State last) {
    ArrayDeque<String> steps = new ArrayDeque<>();
    for (State at = last; at != null; ) {
      Origin origin = seen.get(at);
      steps.addFirst(origin.what);
      at = origin.before;
    }
    return List.copyOf(steps);
  }

  /** Drops requests without a waiting client that can no longer change anything. */
  private State pruned(State state) {
    Set<Request> kept = new HashSet<>();
    for (Request request : state.requests) {
      Cell write = request.write;
      boolean without =
          write != null
              ? state.cell.with(write).equals(state.cell)
              : rules.contains(Rule.ROW_STAYS) && request.expected.token < state.row.token;
      if (!without || state.clients.get(request.client).awaits(request)) {
        kept.add(request);
      }
    }
    return kept.size() == state.requests.size()
        ? state
        : new State(
            state.time, state.row, state.cell, state.acknowledged, state.clients, Set.copyOf(kept));
  }

  private List<Step> steps(State state) {
    steps.clear();
    if (bounds.clocks() == Clocks.WITHIN_SKEW && state.time < END) {
      add(
          "time passes",
          new State(
              state.time + 1,
              state.row,
              state.cell,
              state.acknowledged,
              state.clients,
              state.requests));
    }
    for (Request request : state.requests) {
      arrive(state, request);
    }
    for (int i = 0; i < bounds.clients(); i++) {
      if (bounds.clocks() == Clocks.WRONG) {
        act(state, i, state.clients.get(i), START);
        act(state, i, state.clients.get(i), START + RANGE - 1);
      } else {
        act(state, i, state.clients.get(i), state.time + skews.get(i));
      }
    }
    return steps;
  }

  private void add(String what, State next) {
    steps.add(new Step(what, next));
  }

  private void arrive(State state, Request request) {
    Set<Request> left = new HashSet<>(state.requests);
    left.remove(request);
    Row row = state.row;
    Cell cell = state.cell;
    if (request.write != null) {
      cell = cell.with(request.write);
    } else if (row.equals(request.expected)) {
      row = request.next;
    }
    State next =
        new State(state.time, row, cell, state.acknowledged, state.clients, Set.copyOf(left));
    Client client = state.clients.get(request.client);
    if (client.awaits(request)) {
      next = next.withClient(request.client, client.hearing(row));
    }
    add(name(request.client) + "'s request takes effect: " + row + ", " + cell, next);
  }

  private void act(State state, int i, Client client, int now) {
    String who = name(i);
    switch (client.phase) {
      case IDLE -> {
        if (client.turn < bounds.turns().get(i)) {
          grab(state, i, client, now);
        }
      }
      case GRABBING -> {
        Row reply = client.reply;
        if (reply != null) {
          boolean held = reply.equals(client.grant);
          add(
              who + (held ? " holds the lock" : " does not get the lock"),
              state.withClient(i, held ? client.to(Phase.HELD) : client.ended()));
        } else {
          boolean held = !rules.contains(Rule.UNKNOWN_RESOLVED) || state.row.equals(client.grant);
          add(
              who + " waits for no answer" + (held ? " and holds the lock" : ""),
              state.withClient(i, held ? client.to(Phase.HELD) : client.ended()));
        }
      }
      case HELD ->
          add(
              who + " reads",
              state.withClient(
                  i,
                  client.reading(
                      Phase.READ,
                      rules.contains(Rule.READ_UNDER_LOCK) ? state.cell.counted : client.base)));
      case READ -> write(state, i, client, now);
      case WRITING -> {
        if (client.reply != null) {
          add(who + " hears of its write", state.withClient(i, client.to(Phase.REPLIED)));
        } else {
          add(who + " waits for no answer", state.withClient(i, client.to(Phase.DONE)));
        }
      }
      case REPLIED -> {
        State done = state.withClient(i, client.to(Phase.DONE));
        if (isCounted(state, client, now)) {
          add(who + " acknowledges", done.acknowledging(count(i, client)));
        } else {
          add(who + " leaves it open", done);
        }
      }
      case DONE -> add(who + " goes away", state.withClient(i, client.ended()));
    }
    if (client.phase == Phase.DONE
        || (bounds.threads() && client.phase.compareTo(Phase.READ) >= 0)) {
      release(state, i, client);
      renew(state, i, client, now);
    }
  }

  private void grab(State state, int i, Client client, int now) {
    Row row = state.row;
    if (!rules.contains(Rule.READ_UNDER_LOCK) && client.base != state.cell.counted) {
      add(
          name(i) + " reads early",
          state.withClient(i, client.reading(Phase.IDLE, state.cell.counted)));
    }
    if (bounds.clocks() == Clocks.WITHIN_SKEW && row.expires > now) {
      return;
    }
    int token = Math.max(row.least, now);
    int owner = rules.contains(Rule.OWNER_PER_ATTEMPT) ? count(i, client) : 1;
    int least = rules.contains(Rule.NEXT_TOKEN_ABOVE_RANGE) ? token + RANGE : token + 1;
    Row next = new Row(owner, token, end(now), least);
    add(
        name(i) + " wants the lock with token " + token,
        state
            .withClient(i, client.grabbing(next))
            .sending(new Request(i, client.turn, row, next, null)));
  }

  private void write(State state, int i, Client client, int now) {
    int token = client.grant.token;
    boolean bound = rules.contains(Rule.VERSION_FROM_TOKEN);
    int version = Math.max(bound ? token : now, state.cell.version + 1);
    if ((client.released && rules.contains(Rule.RELEASE_ENDS_WRITES))
        || (bound && version >= token + RANGE)) {
      add(name(i) + " is refused", state.withClient(i, client.ended()));
      return;
    }
    Cell cell = new Cell(version, client.base | count(i, client));
    add(
        name(i) + " writes " + cell,
        state
            .withClient(i, client.writing(version))
            .sending(new Request(i, client.turn, Row.NEVER, Row.NEVER, cell)));
  }

  private boolean isCounted(State state, Client client, int now) {
    return switch (acknowledge) {
      case ALWAYS -> true;
      case CLOCK -> now < client.grant.expires;
      case CLOCK_LESS_SKEW -> now < client.grant.expires - SKEW;
      case SERIAL_READ -> state.row.isHeldBy(client.grant);
    };
  }

  /** Steps of another thread of the holder, even while a write is in flight. */
  private void release(State state, int i, Client client) {
    Row row = state.row;
    if (client.released || !row.isHeldBy(client.grant)) {
      return;
    }
    Row free =
        rules.contains(Rule.ROW_STAYS)
            ? new Row(row.owner, row.token, 0, Math.max(client.last, row.token) + 1)
            : Row.NEVER;
    add(
        name(i) + " gives the lock back",
        state
            .withClient(i, client.releasing())
            .sending(new Request(i, client.turn, row, free, null)));
  }

  private void renew(State state, int i, Client client, int now) {
    Row row = state.row;
    if (!bounds.threads()
        || client.renewed
        || !row.isHeldBy(client.grant)
        || row.expires >= end(now)) {
      return;
    }
    add(
        name(i) + " renews",
        state
            .withClient(i, client.renewing())
            .sending(
                new Request(
                    i,
                    client.turn,
                    row,
                    new Row(row.owner, row.token, end(now), row.least),
                    null)));
  }

  private int end(int now) {
    return bounds.clocks() == Clocks.WRONG ? 1 : now + LEASE;
  }

  private int count(int i, Client client) {
    return 1 << (i * MAX_TURNS + client.turn);
  }

  /** Hashes small numbers better than the usual sum times 31, which is the same for most states. */
  private static int mixed(int... values) {
    int hash = 0;
    for (int value : values) {
      hash = (hash ^ value) * 0x9E3779B1;
      hash ^= hash >>> 15;
    }
    return hash;
  }

  private static String name(int i) {
    return String.valueOf((char) ('A' + i));
  }
}
