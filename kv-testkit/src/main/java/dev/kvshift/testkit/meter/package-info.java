/** The meter that counts what a driver asks of its server, and the figures that tests measure. */
@NullMarked
package dev.kvshift.testkit.meter;

import org.jspecify.annotations.NullMarked;
