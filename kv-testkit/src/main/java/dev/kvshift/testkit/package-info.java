/**
 * The conformance kit: one abstract class per clause of the contract, which proves any driver.
 *
 * <p>A driver gives one {@link dev.kvshift.testkit.StoreFixture} and a test class that names it
 * with {@link dev.kvshift.testkit.UseFixture} and holds a nested, empty subclass of every clause.
 * What the store declares is tested, and what it does not declare is asserted to be refused;
 * nothing is skipped. With {@code -Dkvshift.contract=FOLDER} each fixture's counts are written to
 * {@code FOLDER/FIXTURE.json}.
 */
@NullMarked
package dev.kvshift.testkit;

import org.jspecify.annotations.NullMarked;
