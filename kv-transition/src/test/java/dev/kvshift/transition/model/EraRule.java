package dev.kvshift.transition.model;

/**
 * The rules of the move into clock order and the way back that {@link EraModel} can switch off:
 * section 12 of the protocol.
 */
enum EraRule {
  /** Before a fenced move, S has all that L has committed. Off: it may lack some of it. */
  ERA_DRAINED(EraScope.fromLegacy().puts(1).reads(1)),
  /** After the move L draws no version. Off: it goes on for epochs of before the move. */
  ERA_MOVED_REFUSES(EraScope.fromLegacy().puts(1).reads(1)),
  /** The merge begins once the leases of before the move are over. Off: at once. */
  ERA_LEASES_OUTLASTED(EraScope.fromPrimary().puts(1).reads(1)),
  /** If the lease is over when S has acknowledged a write, the phase is looked at again. */
  ERA_POST_CHECK(EraScope.fromPrimary().puts(1).reads(1)),
  /** The pass begins when every instance is in the merge, or its lease is over. Off: before. */
  ERA_PASS_AFTER_ALL(EraScope.fromPrimary().puts(1).reads(1)),
  /** L leads again after a pass. Off: at any time in the merge. */
  ERA_PASS_FIRST(EraScope.fromPrimary().puts(1).reads(1)),
  /** S's gate takes no step between the pass and L's. Off: it may return to new-primary. */
  ERA_GATE_CLOSED(EraScope.fromPrimary().puts(1).reads(1).returns(1)),
  /** In the merge, both L and S acknowledge a write. Off: S alone. */
  ERA_MERGE_ACKNOWLEDGED(EraScope.fromPrimary().puts(1).reads(1)),
  /** A reader of both writes the newest to the one that has less. Off: it returns it. */
  ERA_MERGE_WRITES(EraScope.fromPrimary().puts(1).reads(2)),
  /** L issues above every version that it holds. Off: above those that it has issued. */
  ERA_LEADS_ABOVE(EraScope.fromPrimary().puts(2)),
  /** A write that S has and L has not is unknown once L leads. Off: it is acknowledged. */
  ERA_UNKNOWN_ON_NEW(EraScope.fromPrimary().puts(1).reads(1));

  @SuppressWarnings("ImmutableEnumChecker") // A record of numbers is immutable.
  private final EraScope scope;

  EraRule(EraScope scope) {
    this.scope = scope;
  }

  /** Returns a small scope in which a property is violated if this rule is off. */
  EraScope scope() {
    return scope;
  }
}
