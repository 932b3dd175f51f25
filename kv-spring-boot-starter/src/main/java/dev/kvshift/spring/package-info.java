/**
 * Opens the store and the collections of a service on Spring Boot, with health and metrics.
 * Services see the beans, and the properties that begin with {@code kvshift}.
 */
@NullMarked
package dev.kvshift.spring;

import org.jspecify.annotations.NullMarked;
