/** The conformance kit on the driver. */
@NullMarked
package dev.kvshift.scylla.kit;

import org.jspecify.annotations.NullMarked;
