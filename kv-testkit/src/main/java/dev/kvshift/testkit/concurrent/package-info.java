/** Threads and waiting in tests: never without a limit, never by sleeping. */
@NullMarked
package dev.kvshift.testkit.concurrent;

import org.jspecify.annotations.NullMarked;
