/** Tests of the package. */
@NullMarked
package dev.kvshift.model.key;

import org.jspecify.annotations.NullMarked;
