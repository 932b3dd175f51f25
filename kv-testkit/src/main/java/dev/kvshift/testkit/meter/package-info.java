/** The meter that counts what a driver asks of its server. */
@NullMarked
package dev.kvshift.testkit.meter;

import org.jspecify.annotations.NullMarked;
