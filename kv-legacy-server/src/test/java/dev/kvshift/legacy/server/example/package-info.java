/** The parts of a driver for a store of one's own that {@code docs/sources.md} shows. */
@NullMarked
package dev.kvshift.legacy.server.example;

import org.jspecify.annotations.NullMarked;
