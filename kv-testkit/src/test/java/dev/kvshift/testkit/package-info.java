/** The kit's own tests: broken drivers that it must catch. */
@NullMarked
package dev.kvshift.testkit;

import org.jspecify.annotations.NullMarked;
