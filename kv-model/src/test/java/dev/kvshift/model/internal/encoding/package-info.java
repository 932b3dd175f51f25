/** Tests of the package. */
@NullMarked
package dev.kvshift.model.internal.encoding;

import org.jspecify.annotations.NullMarked;
