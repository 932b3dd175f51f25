/**
 * Explicit-state models of the protocol between two stores: every interleaving of a small system is
 * tried, and each rule of the protocol can be switched off to see what it prevents. {@code
 * docs/internals/protocol-model.md} explains how to read them.
 */
@NullMarked
package dev.kvshift.transition.model;

import org.jspecify.annotations.NullMarked;
