/** The path from the source's change log into the topic, and the format of the topic's records. */
@NullMarked
package dev.kvshift.migrate.internal.stream;

import org.jspecify.annotations.NullMarked;
