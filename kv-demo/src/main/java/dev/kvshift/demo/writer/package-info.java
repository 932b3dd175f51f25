/** The live writer, the journal it keeps, and the check of the target by that journal. */
@NullMarked
package dev.kvshift.demo.writer;

import org.jspecify.annotations.NullMarked;
