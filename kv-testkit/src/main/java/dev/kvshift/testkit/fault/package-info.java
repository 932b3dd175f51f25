/** Stores and connections that fail on purpose, and the forwarding classes they are made of. */
@NullMarked
package dev.kvshift.testkit.fault;

import org.jspecify.annotations.NullMarked;
