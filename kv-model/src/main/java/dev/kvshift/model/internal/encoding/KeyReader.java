package dev.kvshift.model.internal.encoding;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;

/** Reads the parts of one key and refuses bytes that {@link KeyWriter} cannot have written. */
public final class KeyReader {
  private final Bytes key;
  private int position;

  /** 0xff within a descending part, whose bytes are complemented; 0 otherwise. */
  private int mask;

  /** Creates a reader at the start of a key. */
  public KeyReader(Bytes key) {
    this.key = key;
  }

  /** Reads the type code of a part, which must be the expected one. */
  public void begin(PartCode part, boolean descending) {
    if (position == key.size()) {
      throw malformed("it ends where a part of type " + part.label() + " was to begin");
    }
    byte expected = part.code(descending);
    byte found = key.at(position);
    if (found != expected) {
      throw malformed(
          "it holds " + PartCode.describe(found) + ", not " + PartCode.describe(expected));
    }
    position++;
    mask = descending ? 0xff : 0;
  }

  /** Reads an unsigned byte of a part's body. */
  public int nextByte() {
    if (position == key.size()) {
      throw malformed("it ends inside a part");
    }
    return byteAt(position++);
  }

  /** Reads 4 bytes of a part's body, the highest one first. */
  public int nextInt() {
    int value = 0;
    for (int i = 0; i < 4; i++) {
      value = (value << 8) | nextByte();
    }
    return value;
  }

  /** Reads 8 bytes of a part's body, the highest one first. */
  public long nextLong() {
    long high = nextInt();
    return high << 32 | (nextInt() & 0xffff_ffffL);
  }

  /** Reads a terminated body and returns it without its escapes. */
  public byte[] nextTerminated() {
    byte[] body = new byte[terminatedLength()];
    for (int i = 0; i < body.length; i++) {
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

  /** Reads the rest of the key unchanged. */
  public Bytes rest() {
    Bytes rest = key.slice(position, key.size());
    position = key.size();
    return rest;
  }

  /** Checks that the key has been read to its end. */
  public void requireEnd() {
    if (position != key.size()) {
      throw malformed("more follows than was declared");
    }
  }

  /** Returns the error for a key whose bytes are wrong at the current position. */
  public KvException malformed(String what) {
    return PartCode.malformed(key, position, what);
  }

  /** Returns the unescaped length of the terminated body that starts here. */
  private int terminatedLength() {
    int length = 0;
    int ahead = position;
    while (true) {
      if (ahead >= key.size()) {
        throw malformed("it ends before the terminator of a part");
      }
      int value = byteAt(ahead++);
      if (value == PartCode.END) {
        return length;
      }
      if (value == PartCode.ESCAPE) {
        ahead++;
      }
      length++;
    }
  }

  private int byteAt(int index) {
    return (key.at(index) & 0xff) ^ mask;
  }
}
