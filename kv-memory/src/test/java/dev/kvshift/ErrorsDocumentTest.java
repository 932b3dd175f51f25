package dev.kvshift;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvObserver;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Outcome;
import dev.kvshift.memory.InMemory;
import dev.kvshift.memory.MemoryOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Compiles and runs the code that {@code docs/errors.md} shows. */
@Timeout(60)
final class ErrorsDocumentTest {
  private static final Pattern CODE = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);
  private static final Key ONE = Key.of(Bytes.utf8("one"));
  private static final Key TWO = Key.of(Bytes.utf8("two"));
  private static final Bytes VALUE = Bytes.utf8("value");
  private static final Duration PATIENCE = Duration.ofMinutes(1);

  private final ScriptedCollection script = new ScriptedCollection();
  private final KvCollection scripted = script.view(KvObserver.NONE);

  static void put(KvCollection collection, Key key, Bytes value, Duration atMost)
      throws InterruptedException {
    long deadline = System.nanoTime() + atMost.toNanos();
    Duration backoff = Duration.ofMillis(10);
    KvException unknown = null;
    while (true) {
      try {
        collection.put(key, value);
        return;
      } catch (KvException e) {
        unknown = e.mayHaveBeenApplied() ? e : unknown;
        boolean again = e.isRetryable() || e.mayHaveBeenApplied();
        if (!again || System.nanoTime() + backoff.toNanos() > deadline) {
          throw unknown == null ? e : unknown;
        }
      }
      Thread.sleep(ThreadLocalRandom.current().nextLong(backoff.toMillis()) + 1);
      backoff = backoff.multipliedBy(2);
    }
  }

  static boolean isWritten(KvCollection collection, Key key, Bytes value) {
    return collection.get(key).equals(Optional.of(value));
  }

  static Map<Key, Bytes> notWritten(KvCollection collection, Map<Key, Bytes> entries) {
    Map<Key, Bytes> failed = new LinkedHashMap<>();
    collection
        .putAll(entries)
        .forEach(
            (key, outcome) -> {
              if (outcome instanceof Outcome.Failed<?> failure && failure.error().isRetryable()) {
                failed.put(key, entries.get(key));
              }
            });
    return failed;
  }

  static int httpStatus(KvException error) {
    if (error instanceof KvException.InvalidArgument) {
      return 400;
    }
    return error.isRetryable() ? 503 : 500;
  }

  @Test
  void put_storeThatFailsOften_writesAndIsRead() throws InterruptedException {
    try (KvStore sound = InMemory.store("documented");
        KvStore faulty =
            InMemory.store("documented", MemoryOptions.defaults().withFaults(300, 7))) {
      KvCollection collection = faulty.collection("c", Layout.point());
      put(collection, ONE, VALUE, PATIENCE);
      KvCollection reader = sound.collection("c", Layout.point());
      assertThat(isWritten(reader, ONE, VALUE)).isTrue();
      assertThat(isWritten(reader, TWO, VALUE)).isFalse();
    }
  }

  @Test
  void put_unknownAndThenPermanent_isUnknown() {
    KvException unknown = new KvException.UnknownOutcome("unknown");
    Queue<KvException> errors =
        new ArrayDeque<>(List.of(unknown, new KvException.Permanent("no permission")));
    script.write = () -> CompletableFuture.failedFuture(errors.remove());
    assertThatThrownBy(() -> put(scripted, ONE, VALUE, PATIENCE)).isSameAs(unknown);
    assertThat(errors).isEmpty();
  }

  @Test
  void put_permanent_isNotRetried() {
    KvException permanent = new KvException.Permanent("no permission");
    script.write = () -> CompletableFuture.failedFuture(permanent);
    assertThatThrownBy(() -> put(scripted, ONE, VALUE, PATIENCE)).isSameAs(permanent);
    assertThat(script.calls).hasSize(1);
  }

  @Test
  void notWritten_someKeysFail_areThoseToRetry() {
    Queue<CompletableFuture<Long>> answers =
        new ArrayDeque<>(
            List.of(
                CompletableFuture.completedFuture(1L),
                CompletableFuture.failedFuture(new KvException.Transient("busy"))));
    script.write = answers::remove;
    Map<Key, Bytes> entries = new LinkedHashMap<>();
    entries.put(ONE, VALUE);
    entries.put(TWO, VALUE);
    assertThat(notWritten(scripted, entries)).containsExactly(Map.entry(TWO, VALUE));
  }

  @Test
  void httpStatus_ofEachKind_isTheDocumentedOne() {
    assertThat(httpStatus(new KvException.InvalidArgument("a"))).isEqualTo(400);
    assertThat(httpStatus(new KvException.Overloaded("o"))).isEqualTo(503);
    assertThat(httpStatus(new KvException.UnknownOutcome("u"))).isEqualTo(500);
    assertThat(httpStatus(new KvException.UnsupportedCapability(Capability.EXPIRY, "s")))
        .isEqualTo(500);
  }

  @Test
  void document_itsCodeAndKinds_areThoseOfTheContract() throws IOException {
    Path root = Path.of(Objects.requireNonNull(System.getProperty("kvshift.root")));
    String document = Files.readString(root.resolve("docs/errors.md"));
    String test =
        Files.readString(
            root.resolve("kv-memory/src/test/java/dev/kvshift/ErrorsDocumentTest.java"));
    Matcher code = CODE.matcher(document);
    int blocks = 0;
    while (code.find()) {
      assertThat(squeezed(test)).contains(squeezed(code.group(1)));
      blocks++;
    }
    assertThat(blocks).isEqualTo(4);
    for (Class<?> kind : KvException.class.getDeclaredClasses()) {
      assertThat(document).contains("| `" + kind.getSimpleName() + "` |");
    }
  }

  private static String squeezed(String code) {
    return code.replaceAll("\\s+", " ").strip();
  }
}
