/**
 * One store made of an old and a new one: {@code transition://}. Services keep it open while their
 * collections move; it follows each collection's phase and starts an operation again in the new
 * phase where the old store has refused it.
 */
@NullMarked
package dev.kvshift.transition;

import org.jspecify.annotations.NullMarked;
