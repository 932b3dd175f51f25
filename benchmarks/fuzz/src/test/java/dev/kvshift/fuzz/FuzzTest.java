package dev.kvshift.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Every target on its seeds, on the inputs that fuzzing has found, and on some mutations of both.
 * The mutations are seeded by the target's name, so that this test always does the same.
 */
class FuzzTest {
  private static final int MUTATIONS = 300;

  @TestFactory
  Stream<DynamicTest> inputs() {
    return FuzzTargets.ALL.stream()
        .map(target -> DynamicTest.dynamicTest(target.name(), () -> feed(target)));
  }

  private static void feed(FuzzTarget target) throws IOException {
    List<byte[]> inputs = new ArrayList<>(target.seeds());
    inputs.addAll(corpus(target));
    inputs.add(new byte[0]);
    Random random = new Random(target.name().hashCode());
    for (byte[] input : inputs) {
      feed(target, input);
      for (int i = 0; i < MUTATIONS; i++) {
        feed(target, mutated(input, random));
      }
    }
  }

  private static void feed(FuzzTarget target, byte[] input) {
    try {
      target.feed(input);
    } catch (Throwable e) {
      throw new AssertionError(target.name() + " fails on " + Arrays.toString(input), e);
    }
  }

  private static byte[] mutated(byte[] input, Random random) {
    byte[] mutated = Arrays.copyOf(input, Math.max(0, input.length + random.nextInt(9) - 4));
    for (int left = random.nextInt(4); left >= 0 && mutated.length > 0; left--) {
      int at = random.nextInt(mutated.length);
      mutated[at] =
          switch (random.nextInt(4)) {
            case 0 -> (byte) random.nextInt(256);
            case 1 -> (byte) 0xff;
            case 2 -> (byte) (mutated[at] ^ 1 << random.nextInt(8));
            default -> mutated[random.nextInt(mutated.length)];
          };
    }
    return mutated;
  }

  /** Returns the inputs that fuzzing has found, which are kept beside the code. */
  static List<byte[]> corpus(FuzzTarget target) throws IOException {
    Path folder = corpusFolder(target);
    if (!Files.exists(folder)) {
      return List.of();
    }
    List<byte[]> inputs = new ArrayList<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.sorted().toList()) {
        inputs.add(Files.readAllBytes(file));
      }
    }
    return inputs;
  }

  static Path corpusFolder(FuzzTarget target) {
    return Path.of("src/test/corpus", target.name());
  }

  @Test
  void seeds_areAccepted() {
    for (FuzzTarget target : FuzzTargets.ALL) {
      assertThat(target.seeds()).as(target.name()).isNotEmpty();
      target.seeds().forEach(target::decode);
    }
  }
}
