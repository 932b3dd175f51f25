/** Tests of the package. */
@NullMarked
package dev.kvshift.testkit.fault;

import org.jspecify.annotations.NullMarked;
