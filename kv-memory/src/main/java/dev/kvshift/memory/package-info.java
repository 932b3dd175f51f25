/**
 * The in-memory store: complete, with every capability, for unit tests of services and as the
 * reference that other drivers are compared with.
 *
 * <p>Start at {@link dev.kvshift.memory.InMemory} or, for the SPI, at {@link
 * dev.kvshift.memory.MemoryStoreProvider}.
 */
@NullMarked
package dev.kvshift.memory;

import org.jspecify.annotations.NullMarked;
