package dev.kvshift.testkit;

import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** Names the fixture that a clause, or every clause nested in the class, runs on. */
@Inherited
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
public @interface UseFixture {
  /** Returns the fixture's class. */
  Class<? extends StoreFixture> value();
}
