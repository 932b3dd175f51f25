/**
 * The conformance kit: one abstract class per clause of the contract, which proves any driver.
 *
 * <p>A driver gives one {@link dev.kvshift.testkit.StoreFixture} and, per clause, an empty subclass
 * that names it with {@link dev.kvshift.testkit.UseFixture}. What the store declares is tested, and
 * what it does not declare is asserted to be refused; nothing is skipped.
 */
@NullMarked
package dev.kvshift.testkit;

import org.jspecify.annotations.NullMarked;
