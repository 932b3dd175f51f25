/** What the server lets in: memory for requests and replies, connections, and the size of calls. */
@NullMarked
package dev.kvshift.legacy.server.internal.admission;

import org.jspecify.annotations.NullMarked;
