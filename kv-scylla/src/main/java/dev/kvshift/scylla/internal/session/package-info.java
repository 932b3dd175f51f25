/**
 * The native driver's session: settings, connections, requests with their deadlines, errors,
 * metrics and the skew between the clocks.
 */
@NullMarked
package dev.kvshift.scylla.internal.session;

import org.jspecify.annotations.NullMarked;
