/**
 * What services compile against: a store, its collections, keys, ranges, locks and errors.
 *
 * <p>Start at {@link dev.kvshift.api.KvStore}. Nothing here depends on anything but the JDK.
 */
@NullMarked
package dev.kvshift.api;

import org.jspecify.annotations.NullMarked;
