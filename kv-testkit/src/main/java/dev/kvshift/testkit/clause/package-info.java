/** The clauses of the contract, one abstract class each. */
@NullMarked
package dev.kvshift.testkit.clause;

import org.jspecify.annotations.NullMarked;
