/** Hand-made mutants: a rule each, the source without it, and the test that must notice. */
@NullMarked
package dev.kvshift.check.mutants;

import org.jspecify.annotations.NullMarked;
