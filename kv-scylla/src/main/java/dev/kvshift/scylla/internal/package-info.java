/** What the native driver makes by name, and must therefore be public. No API. */
@NullMarked
package dev.kvshift.scylla.internal;

import org.jspecify.annotations.NullMarked;
