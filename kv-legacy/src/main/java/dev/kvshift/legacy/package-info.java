/**
 * The legacy store's driver: {@code legacy://HOST:PORT}.
 *
 * <p>Start at {@link dev.kvshift.legacy.LegacyProvider}. Everything goes over one stream of frames;
 * {@code Exchange} keeps what is in flight and when it may be sent again.
 */
@NullMarked
package dev.kvshift.legacy;

import org.jspecify.annotations.NullMarked;
