package dev.kvshift.legacy.server.internal.admission;

/** A frame is refused before it is decoded. */
@SuppressWarnings("serial")
final class FrameRefusedException extends Exception {
  FrameRefusedException(String message) {
    super(message, null, false, false);
  }
}
