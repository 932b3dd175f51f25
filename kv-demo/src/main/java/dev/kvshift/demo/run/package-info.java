/** The demo as a whole: fill, migrate under writes, check, report. */
@NullMarked
package dev.kvshift.demo.run;

import org.jspecify.annotations.NullMarked;
