/**
 * The bytes of key parts and of shards, as {@code docs/key-encoding.md} writes them down. Not an
 * API.
 */
@NullMarked
package dev.kvshift.model.internal.encoding;

import org.jspecify.annotations.NullMarked;
