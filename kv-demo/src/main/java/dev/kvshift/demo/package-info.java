/** The demo: a whole migration of real data on this machine, under a live writer, and its proof. */
@NullMarked
package dev.kvshift.demo;

import org.jspecify.annotations.NullMarked;
