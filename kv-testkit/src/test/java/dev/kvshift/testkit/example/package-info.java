/** The driver that {@code docs/driver-guide.md} walks through. */
@NullMarked
package dev.kvshift.testkit.example;

import org.jspecify.annotations.NullMarked;
