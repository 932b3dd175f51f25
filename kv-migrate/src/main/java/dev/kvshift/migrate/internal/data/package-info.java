/** The data of a collection at the shell: keys and values as text, rows and pages of them. */
@NullMarked
package dev.kvshift.migrate.internal.data;

import org.jspecify.annotations.NullMarked;
