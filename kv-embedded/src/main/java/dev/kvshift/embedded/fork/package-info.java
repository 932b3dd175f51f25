/**
 * A JVM of its own that dies with the one that started it: its process, output, folder and the
 * reasons for which it may not start. Needs a POSIX {@code sh}.
 */
@NullMarked
package dev.kvshift.embedded.fork;

import org.jspecify.annotations.NullMarked;
