/** The engine, which ties the rooms below to one store for the network and for files. */
@NullMarked
package dev.kvshift.legacy.server.internal.engine;

import org.jspecify.annotations.NullMarked;
