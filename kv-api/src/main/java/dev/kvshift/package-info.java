/**
 * The views through which services use a store: {@link dev.kvshift.KvStore}, {@link
 * dev.kvshift.KvCollection} and {@link dev.kvshift.Locks}.
 *
 * <p>They are thin, final views above the SPI and work over any store that implements it. Nothing
 * here depends on anything but the JDK.
 */
@NullMarked
package dev.kvshift;

import org.jspecify.annotations.NullMarked;
