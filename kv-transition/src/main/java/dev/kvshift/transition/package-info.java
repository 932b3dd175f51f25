/**
 * One store made of an old and a new one: {@code transition://}. Services keep it open while their
 * collections move. It follows each collection's phase, and runs an operation again in the new
 * phase if the old store has refused it in the old one.
 */
@NullMarked
package dev.kvshift.transition;

import org.jspecify.annotations.NullMarked;
