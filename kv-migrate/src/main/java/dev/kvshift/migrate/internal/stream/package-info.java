/** From the source's change log into the topic, and the topic's record format. */
@NullMarked
package dev.kvshift.migrate.internal.stream;

import org.jspecify.annotations.NullMarked;
