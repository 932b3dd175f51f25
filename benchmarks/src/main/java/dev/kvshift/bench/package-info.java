/** Measurements of the library, each side by side with what it is compared with. */
@NullMarked
package dev.kvshift.bench;

import org.jspecify.annotations.NullMarked;
