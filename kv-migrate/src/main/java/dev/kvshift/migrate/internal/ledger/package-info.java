/** The durable state of a migration: typed records in the target's metadata. */
@NullMarked
package dev.kvshift.migrate.internal.ledger;

import org.jspecify.annotations.NullMarked;
