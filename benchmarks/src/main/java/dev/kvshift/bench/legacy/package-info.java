/** {@code bench legacy}: the legacy store against plain RocksDB. */
@NullMarked
package dev.kvshift.bench.legacy;

import org.jspecify.annotations.NullMarked;
