/**
 * The bytes of key parts and shards, as {@code docs/key-encoding.md} specifies them. Not an API.
 *
 * <p>The lowest package of the module: formats, the sharded store and the advisor all cut keys by
 * type codes, without knowing the model that wrote them.
 */
@NullMarked
package dev.kvshift.model.internal.encoding;

import org.jspecify.annotations.NullMarked;
