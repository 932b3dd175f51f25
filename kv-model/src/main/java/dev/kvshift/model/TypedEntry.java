package dev.kvshift.model;

/**
 * One entry of a page.
 *
 * @param clustering its clustering key
 * @param value its value
 */
public record TypedEntry<C, V>(C clustering, V value) {}
