package dev.kvshift.testkit.clause;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Runs a test once for each {@link CollectionApi} and each direction of a range. */
@ParameterizedTest
@CsvSource({
  "SPI,FORWARD",
  "SPI,BACKWARD",
  "SYNC,FORWARD",
  "SYNC,BACKWARD",
  "ASYNC,FORWARD",
  "ASYNC,BACKWARD"
})
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@interface EachApiAndDirection {}
