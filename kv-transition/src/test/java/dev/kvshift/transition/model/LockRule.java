package dev.kvshift.transition.model;

/**
 * The rules of locks across the switch that {@link LockModel} can switch off: section 8 of the
 * protocol.
 */
enum LockRule {
  /** L refuses a write whose token is lower than the lock's last. Off: it takes any. */
  TOKEN_CHECKED,
  /** Every write made under a lock carries it. Off: it is a write like any other. */
  WRITE_CARRIES_LOCK,
  /** A holder reads after the grant. Off: it may use what it has read before. */
  READ_UNDER_LOCK,
  /**
   * In new-only, the lock's authority draws the version of a write under it. Off: the writer's own
   * clock does.
   */
  AUTHORITY_DRAWS,
  /** A version is drawn only for the last grant, until it is released. Off: for any grant. */
  LAST_GRANT_DRAWS,
  /** S grants the next token above the versions of the last one. Off: just above the token. */
  NEXT_TOKEN_ABOVE_RANGE,
  /** In new-only, a write is acknowledged only if its lock is still the last. Off: always. */
  POST_CHECK,
  /** That is read after S has acknowledged the write. Off: when the write is sent. */
  CHECK_AFTER_REPLY,
  /** A space moves once no lock is held, by L's clock. Off: at any time. */
  NONE_HELD,
  /** L refuses every request of a space that has moved. Off: it goes on. */
  MOVED_REFUSES,
  /** S's tokens start above the floor. Off: at S's clock. */
  TOKENS_ABOVE_FLOOR,
  /** The floor is L's last version at the move. Off: that of the fence. */
  FLOOR_AT_MOVE,
  /** A space moves after the data that it guards. Off: before or after. */
  MOVES_LAST,
  /** S grants no lock to clients of S alone until L has moved the space. Off: it does. */
  IMPORTING_REFUSES
}
