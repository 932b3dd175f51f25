/** Tests of typed collections, the key encoding and the sharded store. */
@NullMarked
package dev.kvshift.model;

import org.jspecify.annotations.NullMarked;
