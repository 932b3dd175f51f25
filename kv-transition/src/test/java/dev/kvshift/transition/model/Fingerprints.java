package dev.kvshift.transition.model;

import java.nio.ByteBuffer;

/** A set of 64-bit fingerprints of byte strings. */
final class Fingerprints {
  private static final int INITIAL_SLOTS = 1 << 12;
  private static final long GOLDEN = 0x9E3779B97F4A7C15L;

  private long[] slots = new long[INITIAL_SLOTS];
  private int size;

  /** Adds the fingerprint of some bytes; returns false if it is there already. */
  boolean add(ByteBuffer bytes) {
    if (!insert(fingerprint(bytes))) {
      return false;
    }
    if (++size > slots.length / 8 * 5) {
      grow();
    }
    return true;
  }

  private void grow() {
    long[] old = slots;
    slots = new long[2 * old.length];
    for (long fingerprint : old) {
      if (fingerprint != 0) {
        insert(fingerprint);
      }
    }
  }

  private boolean insert(long fingerprint) {
    int slot = (int) (fingerprint >>> 32) & (slots.length - 1);
    while (slots[slot] != 0) {
      if (slots[slot] == fingerprint) {
        return false;
      }
      slot = (slot + 1) & (slots.length - 1);
    }
    slots[slot] = fingerprint;
    return true;
  }

  /** Returns a hash that is never 0, the mark of an empty slot. */
  private static long fingerprint(ByteBuffer bytes) {
    long hash = bytes.remaining();
    while (bytes.remaining() >= Long.BYTES) {
      hash = mix(hash ^ bytes.getLong());
    }
    while (bytes.hasRemaining()) {
      hash = mix(hash ^ bytes.get());
    }
    return hash == 0 ? GOLDEN : hash;
  }

  /** The finalizer of SplitMix64: a bijection in which every bit depends on every other. */
  private static long mix(long value) {
    long mixed = value + GOLDEN;
    mixed = (mixed ^ (mixed >>> 30)) * 0xBF58476D1CE4E5B9L;
    mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
    return mixed ^ (mixed >>> 31);
  }
}
