/** Admission: the memory for requests and replies, the connections, and the sizes of calls. */
@NullMarked
package dev.kvshift.legacy.server.internal.admission;

import org.jspecify.annotations.NullMarked;
