package dev.kvshift.testkit.clause;

import dev.kvshift.api.Capability;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Names the capabilities that a clause or a test needs. On a store without one of them, each case
 * asserts instead that the store refuses it.
 */
@Inherited
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@interface Needs {
  Capability[] value();
}
