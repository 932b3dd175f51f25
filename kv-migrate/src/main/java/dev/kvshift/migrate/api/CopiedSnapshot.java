package dev.kvshift.migrate.api;

/**
 * The snapshot of the source that rows were copied from.
 *
 * @param store a description of its store, without secrets
 * @param position the last position of its change log: it holds everything that the source had
 *     committed up to there
 */
public record CopiedSnapshot(String store, long position) {}
