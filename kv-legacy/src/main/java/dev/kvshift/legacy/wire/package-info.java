/**
 * Wire format shared by the legacy driver and its server: the generated messages, the packed form
 * of rows, and the placement of main keys. No API: it changes with the two.
 */
@NullMarked
package dev.kvshift.legacy.wire;

import org.jspecify.annotations.NullMarked;
