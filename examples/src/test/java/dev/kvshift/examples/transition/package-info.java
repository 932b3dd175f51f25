/** {@code ./check transition}: the service on its way from one database to the other. */
@NullMarked
package dev.kvshift.examples.transition;

import org.jspecify.annotations.NullMarked;
