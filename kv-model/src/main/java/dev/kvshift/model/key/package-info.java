/**
 * Key formats: how the keys of a service become bytes that sort as the keys do.
 *
 * <p>Start at {@link dev.kvshift.model.key.Keys}. {@code docs/key-encoding.md} specifies the bytes.
 */
@NullMarked
package dev.kvshift.model.key;

import org.jspecify.annotations.NullMarked;
