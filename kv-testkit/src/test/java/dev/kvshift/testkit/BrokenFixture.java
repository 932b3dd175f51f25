package dev.kvshift.testkit;

import dev.kvshift.spi.Store;
import dev.kvshift.testkit.memory.MemoryFixture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;

/** The in-memory store behind a driver that is broken in one way, which is set before a launch. */
public final class BrokenFixture extends MemoryFixture {
  static final AtomicReference<UnaryOperator<Store>> BREAKING =
      new AtomicReference<>(UnaryOperator.identity());

  /** Created by the kit. */
  public BrokenFixture() {}

  @Override
  public Store open() {
    return BREAKING.get().apply(super.open());
  }
}
