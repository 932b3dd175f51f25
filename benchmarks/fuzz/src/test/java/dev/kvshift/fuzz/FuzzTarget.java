package dev.kvshift.fuzz;

import dev.kvshift.api.KvException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;

/**
 * A decoder that reads bytes of strangers. Whatever the bytes are, it returns, or throws a {@link
 * KvException} or an {@link IllegalArgumentException}. Targets are in the packages of what they
 * decode, so that a decoder need not be public to be fuzzed.
 */
public interface FuzzTarget {
  /** Returns valid inputs, from which fuzzing starts. */
  List<byte[]> seeds();

  /** Decodes the input, and checks what must hold for every input that is accepted. */
  void decode(byte[] input);

  default String name() {
    return getClass().getSimpleName();
  }

  /** Decodes the input; anything that this throws is a defect. */
  default void feed(byte[] input) {
    try {
      decode(input);
    } catch (KvException | IllegalArgumentException refused) {
      // What decoders are documented to throw.
    }
  }

  /** Returns the inputs of texts. */
  static List<byte[]> texts(String... texts) {
    return Stream.of(texts).map(text -> text.getBytes(StandardCharsets.UTF_8)).toList();
  }

  /** Returns the text of an input. */
  static String text(byte[] input) {
    return new String(input, StandardCharsets.UTF_8);
  }

  /** Checks that something that was printed again equals what was read. */
  static void requireSame(Object read, Object again) {
    if (!read.equals(again)) {
      throw new AssertionError(read + " is read from its own printed form as " + again);
    }
  }
}
