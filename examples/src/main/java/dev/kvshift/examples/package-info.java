/** A small service that uses the library as a real one would. */
@NullMarked
package dev.kvshift.examples;

import org.jspecify.annotations.NullMarked;
