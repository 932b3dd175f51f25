/**
 * The data types of the contract: keys, ranges, pages, options, errors, connection strings.
 *
 * <p>Start at {@link dev.kvshift.KvStore}, the view that services use. Nothing here names a type of
 * the SPI, or depends on anything but the JDK.
 */
@NullMarked
package dev.kvshift.api;

import org.jspecify.annotations.NullMarked;
