/** The results of a check's tests: Surefire's reports, and JSON that tests write themselves. */
@NullMarked
package dev.kvshift.check.results;

import org.jspecify.annotations.NullMarked;
