/**
 * The commands {@code ./kv demo}, {@code ./kv up} and {@code ./kv init}. The demo migrates real
 * data on one machine while a live writer changes it, and proves the result. Each package depends
 * only on those below it in this list:
 *
 * <ol>
 *   <li>this package: commands, options, exit codes
 *   <li>{@code run}: the demo from filling the old store to the report
 *   <li>{@code input}: the class files that fill the old store; {@code writer}: the live writer and
 *       the journal that it is checked by
 *   <li>{@code catalog}: the service under migration, a catalog of class files in two collections
 *   <li>{@code server}: the servers; {@code progress}: lines on stderr
 * </ol>
 */
@NullMarked
package dev.kvshift.demo;

import org.jspecify.annotations.NullMarked;
