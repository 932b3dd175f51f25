package dev.kvshift.transition.model;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** The data of {@link LockModel}. Counts are sets of bits, one for each turn of each client. */
@SuppressWarnings("EnumOrdinal") // States are written to compare them within one run.
final class LockState {
  /** What L's gate of the lock space says. */
  enum GateState {
    OPEN,
    FENCED,
    MOVED
  }

  /** What a client is doing. */
  enum Stage {
    IDLE,
    HELD,
    READ,
    CHECKED,
    SENT,
    REPLIED,
    DONE
  }

  /** A counter with the version of its last write. */
  record Cell(int version, int counted) {
    /** Returns the cell after a write: the newer version wins. */
    Cell with(Cell write) {
      return write.version > version ? write : this;
    }
  }

  /** A write of a client on its way to S. */
  record Message(int client, int turn, Cell write) {}

  /** The last grant of the lock, at one of the two authorities. */
  static final class Grant {
    int owner = LockModel.NOBODY;
    int token;
    boolean released;
    boolean ended;
    int least = 1;

    boolean isHeld() {
      return owner != LockModel.NOBODY && !released && !ended;
    }

    boolean isLast(int client, int itsToken) {
      return owner == client && token == itsToken && !released;
    }

    void to(int client, int newToken) {
      owner = client;
      token = newToken;
      released = false;
      ended = false;
    }

    private Grant copy() {
      Grant copy = new Grant();
      copy.owner = owner;
      copy.token = token;
      copy.released = released;
      copy.ended = ended;
      copy.least = least;
      return copy;
    }

    private void write(ByteBuffer out) {
      out.put((byte) owner).put((byte) token).put(flags(released, ended)).put((byte) least);
    }
  }

  /** A client that increments the counter under the lock. */
  static final class Client {
    Stage stage = Stage.IDLE;
    int turn;
    boolean knowsMove;
    boolean lockOnNew;
    int token;
    int end;
    int base;
    int version;
    boolean guarded;
    boolean heldBefore;

    private Client copy() {
      Client copy = new Client();
      copy.stage = stage;
      copy.turn = turn;
      copy.knowsMove = knowsMove;
      copy.lockOnNew = lockOnNew;
      copy.token = token;
      copy.end = end;
      copy.base = base;
      copy.version = version;
      copy.guarded = guarded;
      copy.heldBefore = heldBefore;
      return copy;
    }

    private void write(ByteBuffer out) {
      out.put((byte) stage.ordinal())
          .put((byte) turn)
          .put(flags(knowsMove, lockOnNew, guarded, heldBefore))
          .put((byte) token)
          .put((byte) end)
          .put((byte) base)
          .put((byte) version);
    }
  }

  final Client[] clients;
  final Grant onLeader;
  final Grant onNewStore;
  final List<Message> inFlight;
  Cell leader = new Cell(0, 0);
  Cell newStore = new Cell(0, 0);
  boolean newOnly;
  GateState gate = GateState.OPEN;
  int attempts;
  int floor;
  boolean active;
  int drawn;
  int acknowledged;

  LockState(int clients) {
    this(new Client[clients], new Grant(), new Grant(), new ArrayList<>());
    for (int i = 0; i < clients; i++) {
      this.clients[i] = new Client();
    }
  }

  private LockState(Client[] clients, Grant onLeader, Grant onNewStore, List<Message> inFlight) {
    this.clients = clients;
    this.onLeader = onLeader;
    this.onNewStore = onNewStore;
    this.inFlight = inFlight;
  }

  LockState copy() {
    Client[] copies = new Client[clients.length];
    for (int i = 0; i < copies.length; i++) {
      copies[i] = clients[i].copy();
    }
    LockState copy =
        new LockState(copies, onLeader.copy(), onNewStore.copy(), new ArrayList<>(inFlight));
    copy.leader = leader;
    copy.newStore = newStore;
    copy.newOnly = newOnly;
    copy.gate = gate;
    copy.attempts = attempts;
    copy.floor = floor;
    copy.active = active;
    copy.drawn = drawn;
    copy.acknowledged = acknowledged;
    return copy;
  }

  void write(ByteBuffer out) {
    for (Client client : clients) {
      client.write(out);
    }
    onLeader.write(out);
    onNewStore.write(out);
    write(out, leader);
    write(out, newStore);
    out.put(flags(newOnly, active)).put((byte) gate.ordinal());
    out.put((byte) attempts).put((byte) floor).put((byte) drawn).put((byte) acknowledged);
    inFlight.stream()
        .sorted((one, other) -> one.write.version - other.write.version)
        .forEach(
            message -> {
              out.put((byte) message.client).put((byte) message.turn);
              write(out, message.write);
            });
  }

  private static void write(ByteBuffer out, Cell cell) {
    out.put((byte) cell.version).put((byte) cell.counted);
  }

  private static byte flags(boolean... flags) {
    int bits = 0;
    for (boolean flag : flags) {
      bits = bits << 1 | (flag ? 1 : 0);
    }
    return (byte) bits;
  }
}
