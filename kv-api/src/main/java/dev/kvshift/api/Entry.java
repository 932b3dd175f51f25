package dev.kvshift.api;

import java.util.Objects;

/**
 * One entry of a range page. Immutable.
 *
 * @param clustering the clustering part of its key
 * @param value its value, as it was written
 */
public record Entry(Bytes clustering, Bytes value) {
  public Entry {
    Objects.requireNonNull(clustering, "clustering");
    Objects.requireNonNull(value, "value");
  }
}
