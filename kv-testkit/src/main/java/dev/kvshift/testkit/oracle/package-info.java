/** Independent judges of a store's answers: an ordered map and a linearizability checker. */
@NullMarked
package dev.kvshift.testkit.oracle;

import org.jspecify.annotations.NullMarked;
