package dev.kvshift.legacy.server.internal.storage;

import dev.kvshift.api.Bytes;
import dev.kvshift.legacy.wire.Changes;
import dev.kvshift.legacy.wire.Messages;
import dev.kvshift.legacy.wire.RowBlock;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Gate.Fence;
import dev.kvshift.spi.GateRecord;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Stored forms of rows, changes and gates. The first byte of each is its kind. Stateless. */
public final class Records {
  private static final byte LIVE = 0;
  private static final byte TOMBSTONE = 1;
  private static final byte EXPIRING = 2;
  private static final byte FENCED = 3;
  private static final byte LIFTED = 4;
  private static final byte GATE_FORMAT_WITHOUT_COPY = 1;
  private static final byte GATE_FORMAT = 2;

  /**
   * The format of a gate with a way back: older servers refuse it, since they would not see that.
   */
  private static final byte GATE_FORMAT_WITH_WAY_BACK = 3;

  /** Maximum number of bytes of a stored row that are not its value. */
  public static final int MAX_HEAD_BYTES = 1 + 2 * Long.BYTES;

  private Records() {}

  public static byte[] row(long version, @Nullable Bytes value, @Nullable Instant expiry) {
    int head = 1 + Long.BYTES + (expiry == null ? 0 : Long.BYTES);
    byte[] stored = new byte[head + (value == null ? 0 : value.size())];
    head(ByteBuffer.wrap(stored), version, value, expiry);
    if (value != null) {
      value.copyTo(stored, head);
    }
    return stored;
  }

  private static void head(
      ByteBuffer buffer, long version, @Nullable Bytes value, @Nullable Instant expiry) {
    buffer.put(value == null ? TOMBSTONE : expiry == null ? LIVE : EXPIRING).putLong(version);
    if (expiry != null) {
      buffer.putLong(expiry.toEpochMilli());
    }
  }

  public static Row row(StoreKey key, byte[] stored) {
    return row(key, ByteBuffer.wrap(stored));
  }

  public static Row row(StoreKey key, ByteBuffer stored) {
    byte kind = stored.get();
    long version = stored.getLong();
    return switch (kind) {
      case LIVE -> Row.of(key, version, Bytes.of(stored), null);
      case TOMBSTONE -> Row.tombstone(key, version);
      case EXPIRING -> {
        Instant expiry = Instant.ofEpochMilli(stored.getLong());
        yield Row.of(key, version, Bytes.of(stored), expiry);
      }
      default -> throw new IllegalStateException("row of unknown kind " + kind);
    };
  }

  /** Returns the tombstone that a row with this head is; null if the row is live. */
  public static @Nullable Row tombstone(StoreKey key, ByteBuffer head, Instant now) {
    ByteBuffer stored = head.duplicate();
    byte kind = stored.get();
    long version = stored.getLong();
    boolean dead =
        kind == TOMBSTONE || (kind == EXPIRING && stored.getLong() <= now.toEpochMilli());
    return dead ? Row.tombstone(key, version) : null;
  }

  /**
   * Ends a row of a block with the stored form in a range of an array. A row that has expired ends
   * as a tombstone.
   */
  public static void append(RowBlock block, byte[] stored, int from, int length, long nowMillis) {
    ByteBuffer buffer = ByteBuffer.wrap(stored, from, length);
    byte kind = buffer.get();
    long version = buffer.getLong();
    switch (kind) {
      case LIVE -> block.live(version, stored, buffer.position(), buffer.remaining());
      case TOMBSTONE -> block.tombstone(version);
      case EXPIRING -> {
        long expiry = buffer.getLong();
        if (expiry <= nowMillis) {
          block.tombstone(version);
        } else {
          block.expiring(version, expiry, stored, buffer.position(), buffer.remaining());
        }
      }
      default -> throw new IllegalStateException("row of unknown kind " + kind);
    }
  }

  /** Returns whether a change is that of a row, not a fence or a lift. */
  public static boolean isRow(byte[] change) {
    return change[0] != FENCED && change[0] != LIFTED;
  }

  /** Adds the row that a change has left to a block. */
  public static void appendChanged(RowBlock block, byte[] change, int length) {
    ByteBuffer buffer = ByteBuffer.wrap(change).position(1);
    int main = buffer.getInt();
    int clustering = buffer.getInt();
    int at = buffer.position();
    block.key(change, at, main);
    block.key(change, at + main, clustering);
    int stored = at + main + clustering;
    append(block, change, stored, length - stored, Long.MIN_VALUE);
  }

  /** Returns whether a stored row is deleted or expired and of a version below the horizon. */
  public static boolean isDeadBelow(byte[] stored, long horizon, Instant now) {
    ByteBuffer buffer = ByteBuffer.wrap(stored);
    byte kind = buffer.get();
    return buffer.getLong() < horizon
        && (kind == TOMBSTONE || (kind == EXPIRING && buffer.getLong() <= now.toEpochMilli()));
  }

  /** Returns whether a stored row is deleted or expired. */
  public static boolean isDead(byte[] stored, Instant now) {
    return isDeadBelow(stored, Long.MAX_VALUE, now);
  }

  /** Returns the size of the value of a stored row. */
  public static int valueBytes(byte[] stored) {
    return stored.length - 1 - Long.BYTES - (stored[0] == EXPIRING ? Long.BYTES : 0);
  }

  /** Returns the change that leaves a row in a stored form. */
  public static byte[] change(StoreKey key, byte[] stored) {
    Bytes main = key.main();
    Bytes clustering = key.clustering();
    int keyBytes = 2 * Integer.BYTES + main.size() + clustering.size();
    byte[] change = new byte[1 + keyBytes + stored.length];
    ByteBuffer.wrap(change)
        .put(LIVE)
        .putInt(main.size())
        .putInt(clustering.size())
        .position(1 + keyBytes)
        .put(stored);
    main.copyTo(change, 1 + 2 * Integer.BYTES);
    clustering.copyTo(change, 1 + 2 * Integer.BYTES + main.size());
    return change;
  }

  public static byte[] fenced(Fence fence) {
    Bytes attempt = Bytes.utf8(fence.attempt());
    return ByteBuffer.allocate(1 + 3 * Long.BYTES + attempt.size())
        .put(FENCED)
        .putLong(fence.version())
        .putLong(fence.position())
        .putLong(fence.deadline().toEpochMilli())
        .put(attempt.asReadOnlyBuffer())
        .array();
  }

  public static byte[] lifted(String attempt) {
    Bytes name = Bytes.utf8(attempt);
    return ByteBuffer.allocate(1 + name.size()).put(LIFTED).put(name.asReadOnlyBuffer()).array();
  }

  /** Returns the message of a fence or a lift. */
  public static Changes mark(byte[] change, int length, long position) {
    ByteBuffer buffer = ByteBuffer.wrap(change, 0, length);
    Changes.Builder message = Changes.newBuilder().setPosition(position);
    if (buffer.get() == LIFTED) {
      return message.setLifted(Bytes.of(buffer).toUtf8()).build();
    }
    long version = buffer.getLong();
    long fencedAt = buffer.getLong();
    Instant deadline = Instant.ofEpochMilli(buffer.getLong());
    Fence fence = Fence.of(Bytes.of(buffer).toUtf8(), version, fencedAt, deadline);
    return message.setFenced(Messages.fence(fence)).build();
  }

  public static byte[] gate(GateRecord gate) {
    Gate.State state = gate.state();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      boolean hasWayBack = state.keepsWayBack() || state.isClockOrdered();
      out.writeByte(hasWayBack ? GATE_FORMAT_WITH_WAY_BACK : GATE_FORMAT);
      out.writeLong(state.epoch());
      out.writeUTF(state.phase().name());
      out.writeLong(state.acceptMin());
      out.writeBoolean(state.sealed());
      out.writeLong(state.floor());
      out.writeLong(state.incarnation());
      String movedBy = gate.movedBy();
      out.writeUTF(movedBy == null ? "" : movedBy);
      out.writeByte(gate.ended().size());
      for (String attempt : gate.ended()) {
        out.writeUTF(attempt);
      }
      Fence fence = state.fence();
      out.writeBoolean(fence != null);
      if (fence != null) {
        out.writeUTF(fence.attempt());
        out.writeLong(fence.version());
        out.writeLong(fence.position());
        out.writeLong(fence.deadline().toEpochMilli());
      }
      Copy copy = state.copy();
      out.writeUTF(copy == null ? "" : copy.toString());
      out.writeLong(state.applied());
      out.writeByte(state.ramp());
      if (hasWayBack) {
        out.writeBoolean(state.keepsWayBack());
        out.writeBoolean(state.isClockOrdered());
      }
    } catch (IOException e) {
      throw new UncheckedIOException("a gate could not be encoded", e);
    }
    return bytes.toByteArray();
  }

  public static GateRecord gate(byte[] stored) {
    try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(stored))) {
      byte format = in.readByte();
      if (format < GATE_FORMAT_WITHOUT_COPY || format > GATE_FORMAT_WITH_WAY_BACK) {
        throw new IOException("gate of unknown format " + format);
      }
      long epoch = in.readLong();
      Phase phase = Phase.valueOf(in.readUTF());
      long acceptMin = in.readLong();
      boolean sealed = in.readBoolean();
      long floor = in.readLong();
      long incarnation = in.readLong();
      String movedBy = in.readUTF();
      List<String> ended = new ArrayList<>();
      for (int left = in.readByte(); left > 0; left--) {
        ended.add(in.readUTF());
      }
      Fence fence = null;
      if (in.readBoolean()) {
        fence =
            Fence.of(
                in.readUTF(), in.readLong(), in.readLong(), Instant.ofEpochMilli(in.readLong()));
      }
      boolean hasCopy = format != GATE_FORMAT_WITHOUT_COPY;
      String copy = hasCopy ? in.readUTF() : "";
      long applied = hasCopy ? in.readLong() : 0;
      int ramp = in.available() > 0 ? in.readByte() : Gate.State.ALL;
      boolean hasWayBack = format == GATE_FORMAT_WITH_WAY_BACK;
      boolean keepsWayBack = hasWayBack && in.readBoolean();
      boolean isClockOrdered = hasWayBack && in.readBoolean();
      return GateRecord.of(
          Gate.State.first()
              .withCopy(copy.isEmpty() ? null : Copy.parse(copy))
              .withApplied(applied)
              .withRamp(ramp)
              .withWayBack(keepsWayBack)
              .withClockOrder(isClockOrdered)
              .withEpoch(epoch)
              .withPhase(phase)
              .withAcceptMin(acceptMin)
              .withFence(fence)
              .withSealed(sealed)
              .withFloor(floor)
              .withIncarnation(incarnation),
          movedBy.isEmpty() ? null : movedBy,
          ended);
    } catch (IOException e) {
      throw new UncheckedIOException("a stored gate cannot be read", e);
    }
  }
}
