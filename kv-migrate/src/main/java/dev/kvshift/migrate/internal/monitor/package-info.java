/** What people see of running migrations: readings, their history, metrics, the status page. */
@NullMarked
package dev.kvshift.migrate.internal.monitor;

import org.jspecify.annotations.NullMarked;
