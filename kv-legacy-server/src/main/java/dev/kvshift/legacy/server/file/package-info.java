/** The same store in the process itself, without a network: {@code legacy+file:}. */
@NullMarked
package dev.kvshift.legacy.server.file;

import org.jspecify.annotations.NullMarked;
