/** Tasks that processes share: who may take one, who holds it, and who holds it no longer. */
@NullMarked
package dev.kvshift.migrate.internal.task;

import org.jspecify.annotations.NullMarked;
