/**
 * Forked JVMs that die with the one that started them: process, output, folder, and the reasons for
 * which one may not start. Needs a POSIX {@code sh}.
 */
@NullMarked
package dev.kvshift.embedded.fork;

import org.jspecify.annotations.NullMarked;
