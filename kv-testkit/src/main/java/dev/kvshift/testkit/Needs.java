package dev.kvshift.testkit;

import dev.kvshift.api.Capability;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Says which capabilities a clause or a test is about. On a store that leaves one out, each of its
 * cases asserts that the store refuses it instead.
 */
@Inherited
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@interface Needs {
  Capability[] value();
}
