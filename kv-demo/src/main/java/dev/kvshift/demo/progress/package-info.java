/** The progress of the demo's steps, one line at a time. */
@NullMarked
package dev.kvshift.demo.progress;

import org.jspecify.annotations.NullMarked;
