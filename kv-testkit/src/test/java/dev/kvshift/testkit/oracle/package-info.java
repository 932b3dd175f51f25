/** Tests of the package. */
@NullMarked
package dev.kvshift.testkit.oracle;

import org.jspecify.annotations.NullMarked;
