package dev.kvshift.testkit;

import dev.kvshift.spi.Store;
import dev.kvshift.testkit.memory.BareMemoryFixture;

/** The in-memory store without any capability, behind the broken driver of a launch. */
public final class BareBrokenFixture extends BareMemoryFixture {
  /** Created by the kit. */
  public BareBrokenFixture() {}

  @Override
  public Store open() {
    return BrokenFixture.BREAKING.get().apply(super.open());
  }
}
