/** The engine: one open store, for the server and for use inside a process. */
@NullMarked
package dev.kvshift.legacy.server.internal.engine;

import org.jspecify.annotations.NullMarked;
