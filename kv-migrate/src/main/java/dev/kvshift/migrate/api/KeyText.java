package dev.kvshift.migrate.api;

import dev.kvshift.api.Bytes;
import dev.kvshift.model.key.Keys;
import dev.kvshift.spi.StoreKey;

/** Keys as text for people. Keys in kvshift's encoding are decoded, followed by their bytes. */
final class KeyText {
  private static final int MAX_PART_CHARS = 200;

  private KeyText() {}

  static String of(StoreKey key) {
    String main = "main=" + show(key.main());
    return key.clustering().isEmpty() ? main : main + " clustering=" + show(key.clustering());
  }

  private static String show(Bytes part) {
    String text = Keys.show(part);
    String all = text.equals(part.toString()) ? text : text + " [" + part + "]";
    return all.length() <= MAX_PART_CHARS ? all : all.substring(0, MAX_PART_CHARS) + "…";
  }
}
