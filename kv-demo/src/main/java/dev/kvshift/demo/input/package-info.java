/** The class files that fill the old store, from the JDK, from jars or synthetic. */
@NullMarked
package dev.kvshift.demo.input;

import org.jspecify.annotations.NullMarked;
