/** The service under migration: a catalog of class files in two collections. */
@NullMarked
package dev.kvshift.demo.catalog;

import org.jspecify.annotations.NullMarked;
