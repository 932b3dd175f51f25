/**
 * What the legacy driver and its server share: the generated messages, the packed form of rows, and
 * the hash that places a main key. No API: it changes with the two.
 */
@NullMarked
package dev.kvshift.legacy.wire;

import org.jspecify.annotations.NullMarked;
