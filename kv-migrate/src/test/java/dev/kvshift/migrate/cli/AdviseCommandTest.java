package dev.kvshift.migrate.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Key;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Outcome;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.embedded.ForkedLegacyServer;
import dev.kvshift.memory.InMemory;
import dev.kvshift.model.Stores;
import dev.kvshift.model.key.Keys;
import dev.kvshift.testkit.concurrent.Await;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

final class AdviseCommandTest {
  private static final String LAYOUT = "range;shard=none;encoding=1";
  private static final int LARGE = 4_096;
  private static final int SMALL_MAINS = 300;

  private final String name = "advise-" + UUID.randomUUID();
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @Test
  void advise_oneLargeMainKey_recommendsBitsThatKeepTheLimits(@TempDir Path folder)
      throws Exception {
    Path json = folder.resolve("advice.json");
    try (KvStore store = InMemory.store(name)) {
      fill(store, Layout.parse(LAYOUT));

      assertThat(memory(LAYOUT, "--max-rows", "500", "--json", json.toString()))
          .as(err.toString())
          .isZero();
    }
    assertAdvice(json);
  }

  @Test
  void advise_legacyServer_givesTheSameAdvice(@TempDir Path folder) throws Exception {
    Path json = folder.resolve("advice.json");
    try (ForkedLegacyServer server = ForkedLegacyServer.start()) {
      String from = server.connectionString();
      try (KvStore store = Stores.connect(from)) {
        fill(store, Layout.parse(LAYOUT));
      }
      assertThat(execute(from, LAYOUT, "--max-rows", "500", "--json", json.toString()))
          .as(err.toString())
          .isZero();
    }
    assertAdvice(json);
  }

  @Test
  void advise_cqlStoreWithoutShards_givesTheSameAdvice(@TempDir Path folder) throws Exception {
    Path json = folder.resolve("advice.json");
    CassandraNode node = CassandraNode.shared();
    String from =
        "scylla://"
            + node.address()
            + "/advise_test?localDatacenter="
            + node.datacenter()
            + "&create=if-missing&replication=1";
    try (KvStore store = Stores.connect(from)) {
      fill(store, Layout.parse(LAYOUT));
    }
    assertThat(execute(from, LAYOUT, "--max-rows", "500", "--json", json.toString()))
        .as(err.toString())
        .isZero();
    assertAdvice(json);
  }

  @Test
  void advise_sample_readsSomeOfTheMainKeysWhole() {
    try (KvStore store = InMemory.store(name)) {
      fill(store, Layout.parse(LAYOUT));

      assertThat(memory(LAYOUT, "--sample", "3")).as(err.toString()).isZero();
    }
    assertThat(out.toString())
        .contains("sample: 8 of 24 scan tasks; sizes are whole, counts are the sample's")
        .doesNotContain("4,396 entries")
        .contains("recommended: shard=none");
  }

  @Test
  void advise_largestPartitionAboveTheThreshold_exitsWithMismatch() {
    try (KvStore store = InMemory.store(name)) {
      fill(store, Layout.parse("range;shard=bits=12;encoding=1"));
      String sharded = "range;shard=bits=12;encoding=1";

      assertThat(memory(sharded, "--fail-above", "100kB")).as(err.toString()).isZero();
      assertThat(out.toString()).contains("passed: the largest partition with shard=bits=12 has ");
      assertThat(memory(sharded, "--fail-above", "20")).isEqualTo(ExitCode.MISMATCH);
      assertThat(out.toString())
          .containsPattern("FAILED: the largest .* bytes, above the threshold of 20\n");
    }
  }

  @Test
  void advise_whatCannotBeAdvisedOn_saysWhyAndExitsWithUsage() {
    try (KvStore store = InMemory.store(name)) {
      store.collection("files", Layout.parse(LAYOUT));

      assertThat(memory("point;shard=none;encoding=1")).isEqualTo(ExitCode.USAGE);
      assertThat(err.toString()).contains("collection files is a point collection: ");
      assertThat(memory(LAYOUT)).isEqualTo(ExitCode.USAGE);
      assertThat(err.toString()).contains("has no entries: check its name\n");
      assertThat(memory(LAYOUT, "--sample", "0")).isEqualTo(ExitCode.USAGE);
      assertThat(err.toString()).contains("a sample of one in 0: give 1 to 8192\n");
      assertThat(memory(LAYOUT, "--max-bytes", "much")).isEqualTo(ExitCode.USAGE);
      assertThat(err.toString()).contains("'much' is not a number of bytes: give one such as 10MB");
      assertThat(memory(LAYOUT, "--scan-rows-per-second", "99")).isEqualTo(ExitCode.USAGE);
      assertThat(err.toString()).contains("scanRowsPerSecond of 99: give 100 to 10000000\n");
    }
  }

  private static void fill(KvStore store, Layout layout) {
    KvCollection files = store.collection("files", layout);
    Map<Key, Bytes> entries = new HashMap<>();
    for (long number = 0; number < LARGE; number++) {
      entries.put(Key.of(Bytes.utf8("large"), Keys.uint64().encode(number << 52)), Bytes.utf8("v"));
    }
    for (int main = 0; main < SMALL_MAINS; main++) {
      entries.put(Key.of(Bytes.utf8("small-" + main), Keys.uint64().encode(0L)), Bytes.utf8("v"));
    }
    files.putAll(entries, WriteOptions.timeout(Await.LONGEST)).values().forEach(Outcome::orThrow);
  }

  private void assertAdvice(Path json) throws Exception {
    assertThat(out.toString())
        .startsWith("files: 4,396 entries, ")
        .contains(" bytes, 301 main keys")
        .contains("recommended: shard=bits=4")
        .containsPattern("> bits=4 +316 ");
    JsonObject advice = JsonParser.parseString(Files.readString(json)).getAsJsonObject();
    assertThat(advice.get("entries").getAsInt()).isEqualTo(LARGE + SMALL_MAINS);
    assertThat(advice.get("mains").getAsInt()).isEqualTo(SMALL_MAINS + 1);
    assertThat(advice.get("recommended").getAsString()).isEqualTo("bits=4");
  }

  private int memory(String layout, String... more) {
    return execute("memory://" + name, layout, more);
  }

  private int execute(String from, String layout, String... more) {
    CommandLine line = MigrateCommand.commandLine();
    line.setOut(new PrintWriter(out));
    line.setErr(new PrintWriter(err));
    String[] fixed = {"advise", "--from", from, "--collection", "files", "--layout", layout};
    String[] all = Arrays.copyOf(fixed, fixed.length + more.length);
    System.arraycopy(more, 0, all, fixed.length, more.length);
    return line.execute(all);
  }
}
