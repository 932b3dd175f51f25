/** The demo's servers and the folder they work in. */
@NullMarked
package dev.kvshift.demo.server;

import org.jspecify.annotations.NullMarked;
