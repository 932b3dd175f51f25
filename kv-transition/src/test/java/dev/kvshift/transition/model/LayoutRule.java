package dev.kvshift.transition.model;

/** The rules of a move that changes the shard rule, which {@link LayoutModel} can switch off. */
enum LayoutRule {
  /** A store opens a collection under its recorded rule alone. Off: under the one asked for. */
  LAYOUT_ONE_RULE,
  /** On transition://, the old side has the recorded rule. Off: that of the process's model. */
  LAYOUT_OLD_AS_RECORDED,
  /** A step up waits for processes that cannot open the new side. Off: it does not. */
  LAYOUT_STEP_WAITS
}
