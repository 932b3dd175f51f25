/** Tests of the package. */
@NullMarked
package dev.kvshift.model.advise;

import org.jspecify.annotations.NullMarked;
