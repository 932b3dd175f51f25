package dev.kvshift.spi;

import java.time.Duration;

/**
 * What a store accepts; checked by the client before anything is sent. Immutable.
 *
 * @param maxMainBytes the longest main part, shard included
 * @param maxClusteringBytes the longest clustering part
 * @param maxValueBytes the longest value
 * @param maxInFlight how many requests one open store sends at once; further ones wait or fail
 * @param timeout how long an operation may take where its caller does not say
 */
public record Limits(
    int maxMainBytes,
    int maxClusteringBytes,
    int maxValueBytes,
    int maxInFlight,
    Duration timeout) {}
