package dev.kvshift.model.key;

/**
 * The whole key of an entry in a range collection. Immutable if its parts are.
 *
 * @param main the main key
 * @param clustering the clustering key
 */
public record RangeKey<M, C>(M main, C clustering) {}
