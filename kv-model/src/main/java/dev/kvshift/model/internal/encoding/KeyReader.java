package dev.kvshift.model.internal.encoding;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;

/** Reads the parts of one key. Used by one thread. */
public final class KeyReader {
  private final Bytes key;
  private int position;
  private int mask;

  public KeyReader(Bytes key) {
    this.key = key;
  }

  /** Reads a part's type code, which must be the one expected. */
  public void begin(PartCode part, boolean descending) {
    if (position == key.size()) {
      throw malformed("it ends where a part of type " + part.shown() + " was to begin");
    }
    byte wanted = part.code(descending);
    byte found = key.at(position);
    if (found != wanted) {
      throw malformed("it holds " + PartCode.show(found) + ", not " + PartCode.show(wanted));
    }
    position++;
    mask = descending ? 0xff : 0;
  }

  public int nextByte() {
    if (position == key.size()) {
      throw malformed("it ends inside a part");
    }
    return (key.at(position++) & 0xff) ^ mask;
  }

  public int nextInt() {
    int value = 0;
    for (int i = 0; i < 4; i++) {
      value = (value << 8) | nextByte();
    }
    return value;
  }

  public long nextLong() {
    long high = nextInt();
    return high << 32 | (nextInt() & 0xffff_ffffL);
  }

  /** Reads a body up to its terminator. */
  public byte[] nextTerminated() {
    int length = 0;
    int ahead = position;
    while (true) {
      if (ahead >= key.size()) {
        throw malformed("it ends before the terminator of a part");
      }
      int value = (key.at(ahead++) & 0xff) ^ mask;
      if (value == PartCode.END) {
        break;
      }
      if (value == PartCode.ESCAPE) {
        ahead++;
      }
      length++;
    }
    byte[] body = new byte[length];
    for (int i = 0; i < length; i++) {
      int value = nextByte();
      if (value == PartCode.ESCAPE) {
        value = nextByte() - 1;
        if (value != 0 && value != 1) {
          throw malformed("an escape is followed by neither 01 nor 02");
        }
      }
      body[i] = (byte) value;
    }
    position++;
    return body;
  }

  /** Reads all that is left, as it is. */
  public Bytes rest() {
    Bytes rest = key.slice(position, key.size());
    position = key.size();
    return rest;
  }

  public void requireEnd() {
    if (position != key.size()) {
      throw malformed("more follows than was declared");
    }
  }

  public KvException malformed(String what) {
    return PartCode.malformed(key, position, what);
  }
}
