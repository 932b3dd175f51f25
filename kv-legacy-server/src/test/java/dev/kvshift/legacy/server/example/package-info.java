/** The parts of a driver for a company's own store that {@code docs/sources.md} shows. */
@NullMarked
package dev.kvshift.legacy.server.example;

import org.jspecify.annotations.NullMarked;
