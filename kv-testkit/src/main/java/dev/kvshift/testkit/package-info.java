/**
 * The conformance kit, which proves any driver: the contract as tests.
 *
 * <p>A driver provides a {@link dev.kvshift.testkit.fixture.StoreFixture} and an empty subclass of
 * {@link dev.kvshift.testkit.DriverKit} that names it with {@link
 * dev.kvshift.testkit.fixture.UseFixture}. The capabilities that the store declares are tested, all
 * others are asserted to be refused; nothing is skipped. With {@code -Dkvshift.contract=FOLDER}
 * each fixture's counts are written to {@code FOLDER/FIXTURE.json}.
 */
@NullMarked
package dev.kvshift.testkit;

import org.jspecify.annotations.NullMarked;
