package dev.kvshift.migrate.cli;

import static dev.kvshift.testkit.concurrent.Await.join;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Key;
import dev.kvshift.api.Layout;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.embedded.ForkedLegacyServer;
import dev.kvshift.memory.InMemory;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.model.Stores;
import dev.kvshift.model.key.Keys;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Store;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The data of collections at the shell; with models in {@link PluginsTest}. */
final class DataCommandsTest {
  private static final Layout RANGE = Layout.parse("range;shard=bits=8;encoding=1");
  private static final Layout OWN = Layout.parse("point;shard=none;encoding=0");
  private static final Pattern NEXT = Pattern.compile("more: --after (\\S+)\n");

  private final String name = UUID.randomUUID().toString();
  private final String string = "memory://" + name;
  private final KvStore store = InMemory.store(name);
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @AfterEach
  void close() {
    store.close();
  }

  @Test
  void get_withoutAModel_showsReadableKeyAndText() {
    KvCollection hits = hits(0);
    hits.put(hit(7), Bytes.utf8("seen by"), WriteOptions.ttl(Duration.ofDays(1)));

    assertThat(execute("get", string, "hits", "string:java.util", "uint64:7")).isZero();
    assertThat(out.toString())
        .matches(
            """
            key      "java.util" / 7
            version  \\d{16}, 20\\d\\d-\\d\\d-\\d\\dT[0-9:.]+Z
            expires  20\\d\\d-\\d\\d-\\d\\dT[0-9:.]+Z
            value    seen by
            """);
  }

  @Test
  void get_hexadecimalKeyAsJson_showsEverything() {
    hits(0).put(hit(7), Bytes.of((byte) 0x1b, (byte) '['));

    assertThat(
            execute(
                "get",
                string,
                "hits",
                "0x" + hit(7).main().toHex(),
                "0x" + hit(7).clustering().toHex(),
                "--json"))
        .isZero();
    JsonObject json = JsonParser.parseString(out.toString()).getAsJsonObject();
    assertThat(json.remove("version").getAsLong()).isPositive();
    assertThat(json)
        .hasToString(
            "{\"main\":\"\\\"java.util\\\"\",\"mainHex\":\"036a6176612e7574696c00\","
                + "\"clustering\":\"7\",\"clusteringHex\":\"0b0000000000000007\",\"found\":true,"
                + "\"value\":\"0x1b5b\",\"valueBytes\":2}");
  }

  @Test
  void get_absentAndDeleted_exitsWithItsOwnCode() {
    hits(0).delete(hit(8));

    assertThat(execute("get", string, "hits", "string:java.util", "uint64:7"))
        .isEqualTo(ExitCode.ABSENT);
    assertThat(err.toString()).isEqualTo("no entry\n");
    assertThat(execute("get", string, "hits", "string:java.util", "uint64:7", "--json"))
        .isEqualTo(ExitCode.ABSENT);
    assertThat(out.toString()).contains("\"found\":false}");
    assertThat(execute("get", string, "hits", "string:java.util", "uint64:8"))
        .isEqualTo(ExitCode.ABSENT);
    assertThat(err.toString()).contains("no entry: deleted or expired, version ");
  }

  @Test
  void put_thenDelete_changesTheEntry(@TempDir Path folder) throws IOException {
    KvCollection files = store.collection("files", OWN);
    Path text = Files.writeString(folder.resolve("value"), "from a file\n");

    assertThat(execute("put", string, "files", "one", "@first")).as(err.toString()).isZero();
    assertThat(execute("put", string, "files", "0x00ff", "--file", text.toString())).isZero();
    assertThat(execute("put", string, "files", "two", "0xfe", "--ttl-seconds", "60")).isZero();
    assertThat(files.get(Key.of(Bytes.utf8("one")))).contains(Bytes.utf8("@first"));
    assertThat(files.get(Key.of(Bytes.fromHex("00ff")))).contains(Bytes.utf8("from a file"));
    assertThat(files.get(Key.of(Bytes.utf8("two")))).contains(Bytes.fromHex("fe"));

    assertThat(execute("delete", string, "files", "one")).isZero();
    assertThat(files.get(Key.of(Bytes.utf8("one")))).isEmpty();
    assertThat(execute("scan", string, "files")).isZero();
    assertThat(out.toString().lines())
        .containsExactlyInAnyOrder("0x00ff\tfrom a file", "two\t0xfe");
  }

  @Test
  void put_whatIsNoEntry_isRefusedInOneLine() {
    store.collection("files", OWN);
    hits(0);

    assertRefused("give a key and a value, and nothing behind them", "put", "files", "one");
    assertRefused(
        "give a key and a value, and nothing behind them", "put", "files", "one", "two", "three");
    assertRefused("give a main key, a clustering key and a value", "put", "hits", "string:a", "b");
    assertRefused(
        "'0x1' is not hexadecimal: give an even number of digits after 0x",
        "put",
        "files",
        "one",
        "0x1");
    assertRefused(
        "the clustering key is missing: give it after the main key", "delete", "hits", "string:a");
    assertRefused(
        "the collection has one key only: leave out 'two'", "delete", "files", "one", "two");
    assertRefused("--limit 0: give 1 to 10000", "scan", "files", "--limit", "0");
    assertRefused(
        "collection files is a point collection: use get or scan", "range", "files", "one");
    assertRefused(
        "memory://"
            + name
            + " has not recorded a layout of collection flies: check the name, and"
            + " give --layout, or the folder of its model's jar",
        "get",
        "flies",
        "one");
  }

  @Test
  void put_collectionBeingMigrated_needsYes() {
    store.collection("files", OWN);
    try (Store leader = MemoryStoreProvider.open(name)) {
      Gate gate = join(leader.open("files", OWN, Claim.NONE)).gate();
      Gate.State first = join(gate.state());
      join(gate.compareAndSet(first, first.withCopy(Copy.draw("log"))));
      for (String[] write : new String[][] {{"put", "one", "1"}, {"delete", "one"}}) {
        List<String> arguments = new ArrayList<>(List.of(write));
        arguments.addAll(1, List.of(string, "files"));
        err.getBuffer().setLength(0);
        assertThat(execute(arguments.toArray(new String[0]))).isEqualTo(ExitCode.USAGE);
        assertThat(err.toString())
            .isEqualTo(
                "migrate: collection files is being migrated (phase legacy): write through"
                    + " transition://, as its services do, or give --yes\n");
        arguments.add("--yes");
        assertThat(execute(arguments.toArray(new String[0]))).isZero();
      }
      Gate.State moved = join(gate.state());
      join(gate.compareAndSet(moved, moved.withEpoch(1).withPhase(Phase.SHADOW_WRITE)));
      err.getBuffer().setLength(0);
      assertThat(execute("put", string, "files", "one", "1")).isEqualTo(ExitCode.USAGE);
      assertThat(err.toString()).contains("(phase shadow-write)");
    }
  }

  @Test
  void put_stringForReading_isRefused() {
    store.collection("files", OWN).put(Key.of(Bytes.utf8("one")), Bytes.utf8("1"));

    assertThat(execute("get", string + "?access=read", "files", "one")).isZero();
    assertThat(execute("put", string + "?access=read", "files", "one", "2"))
        .isEqualTo(ExitCode.USAGE);
    assertThat(err.toString())
        .isEqualTo("migrate: the connection string says access=read: leave that out to write\n");
  }

  @Test
  void range_pageByPage_showsEachEntryOnce() {
    hits(50);

    List<String> lines = pages("range", string, "hits", "string:java.util", "--limit", "20");
    assertThat(lines).hasSize(50).startsWith("0\tvalue 0", "1\tvalue 1").endsWith("49\tvalue 49");
    assertThat(
            execute(
                "range",
                string,
                "hits",
                "string:java.util",
                "--from",
                "uint64:10",
                "--to",
                "uint64:12",
                "--backward"))
        .isZero();
    assertThat(out.toString()).isEqualTo("11\tvalue 11\n10\tvalue 10\n");
  }

  @Test
  void scan_pageByPage_showsEachEntryOnce() {
    hits(50);

    assertThat(pages("scan", string, "hits", "--limit", "7"))
        .hasSize(50)
        .doesNotHaveDuplicates()
        .contains("\"java.util\"\t49\tvalue 49");
    assertRefused(
        "'AAAA' is no position of a scan: give the one that the last page printed",
        "scan",
        "hits",
        "--after",
        "AAAA");
  }

  @Test
  void range_json_hasEntriesAndTheNextPosition() {
    hits(3);

    assertThat(execute("range", string, "hits", "string:java.util", "--limit", "2", "--json"))
        .isZero();
    JsonObject page = JsonParser.parseString(out.toString()).getAsJsonObject();
    assertThat(page.getAsJsonArray("entries")).hasSize(2);
    out.getBuffer().setLength(0);
    assertThat(
            execute(
                "range",
                string,
                "hits",
                "string:java.util",
                "--json",
                "--after",
                page.get("next").getAsString()))
        .isZero();
    JsonObject last = JsonParser.parseString(out.toString()).getAsJsonObject();
    assertThat(last.getAsJsonArray("entries")).hasSize(1);
    assertThat(last.has("next")).isFalse();
  }

  @Test
  void descriptor_protobufValues_areJsonInBothDirections(@TempDir Path folder) throws IOException {
    KvCollection files = store.collection("files", OWN);
    Path descriptors = descriptors(folder);
    String[] shown = {"--descriptor", descriptors.toString(), "--message", "File"};

    assertThat(
            execute(
                with(
                    shown,
                    "put",
                    string,
                    "files",
                    "one",
                    "{\"path\": \"a\\u001b\", \"size_bytes\": 7}")))
        .as(err.toString())
        .isZero();
    assertThat(files.get(Key.of(Bytes.utf8("one")))).contains(Bytes.fromHex("0a02611b1007"));
    files.put(Key.of(Bytes.utf8("newer")), Bytes.fromHex("10071801"));
    files.put(Key.of(Bytes.utf8("other")), Bytes.fromHex("ff"));

    assertThat(execute(with(shown, "scan", string, "files"))).isZero();
    assertThat(out.toString().lines())
        .containsExactlyInAnyOrder(
            "one\t{\"path\":\"a\\u001b\",\"size_bytes\":\"7\"}",
            "newer\t{\"size_bytes\":\"7\"}\t(it has fields that its format does not declare)",
            "other\t0xff\t(it is not what its format declares)");
    out.getBuffer().setLength(0);
    assertThat(execute(with(shown, "get", string, "files", "one", "--json"))).isZero();
    assertThat(JsonParser.parseString(out.toString()).getAsJsonObject().get("value"))
        .hasToString("{\"path\":\"a\\u001b\",\"size_bytes\":\"7\"}");

    assertThat(execute(with(shown, "put", string, "files", "one", "{\"sise\": 7}")))
        .isEqualTo(ExitCode.USAGE);
    assertThat(err.toString()).contains("the value is not a shop.File as JSON: ", "sise");
    shown[3] = "Fail";
    assertThat(execute(with(shown, "get", string, "files", "one"))).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString()).contains(" has no message Fail: give --message one of [shop.File]");
  }

  @Test
  void allCommands_realStores_showTheSame() {
    CassandraNode node = CassandraNode.shared();
    String scylla =
        "scylla://"
            + node.address()
            + "/shell_test?localDatacenter="
            + node.datacenter()
            + "&create=if-missing&replication=1";
    try (ForkedLegacyServer server = ForkedLegacyServer.start()) {
      String legacy = server.connectionString();
      for (String one : new String[] {legacy, scylla}) {
        try (KvStore opened = Stores.connect(one)) {
          opened.collection("hits", RANGE);
        }
        String[] layout = {"--layout", RANGE.toString()};
        String[] known = one.equals(legacy) ? layout : new String[0];
        for (int i = 0; i < 30; i++) {
          assertThat(
                  execute(
                      with(known, "put", one, "hits", "string:java.util", "uint64:" + i, "v" + i)))
              .as(err.toString())
              .isZero();
        }
        assertThat(execute(with(known, "delete", one, "hits", "string:java.util", "uint64:29")))
            .isZero();
        assertThat(execute(with(known, "get", one, "hits", "string:java.util", "uint64:28")))
            .isZero();
        assertThat(out.toString()).contains("key      \"java.util\" / 28\n", "value    v28\n");
        out.getBuffer().setLength(0);
        assertThat(pages(with(known, "range", one, "hits", "string:java.util", "--limit", "9")))
            .hasSize(29)
            .startsWith("0\tv0")
            .endsWith("28\tv28");
        out.getBuffer().setLength(0);
        assertThat(pages(with(known, "scan", one, "hits", "--limit", "9")))
            .hasSize(29)
            .doesNotHaveDuplicates();
        out.getBuffer().setLength(0);
      }
      String both = "transition://shell?old=" + encoded(legacy) + "&new=" + encoded(scylla);
      assertThat(execute("get", both, "hits", "string:java.util", "uint64:28"))
          .as(err.toString())
          .isZero();
      assertThat(out.toString()).contains("value    v28\n");
    }
  }

  private static String encoded(String string) {
    return string.replace("?", "%3F").replace("&", "%26").replace("=", "%3D");
  }

  private KvCollection hits(int entries) {
    KvCollection hits = store.collection("hits", RANGE);
    for (int i = 0; i < entries; i++) {
      hits.put(hit(i), Bytes.utf8("value " + i));
    }
    return hits;
  }

  private static Key hit(long number) {
    return Key.of(Keys.string().encode("java.util"), Keys.uint64().encode(number));
  }

  private static Path descriptors(Path folder) throws IOException {
    DescriptorProto message =
        DescriptorProto.newBuilder()
            .setName("File")
            .addField(field("path", 1, FieldDescriptorProto.Type.TYPE_STRING))
            .addField(field("size_bytes", 2, FieldDescriptorProto.Type.TYPE_INT64))
            .build();
    FileDescriptorSet set =
        FileDescriptorSet.newBuilder()
            .addFile(
                FileDescriptorProto.newBuilder()
                    .setName("shop.proto")
                    .setPackage("shop")
                    .setSyntax("proto3")
                    .addMessageType(message))
            .build();
    return Files.write(folder.resolve("shop.desc"), set.toByteArray());
  }

  private static FieldDescriptorProto field(
      String name, int number, FieldDescriptorProto.Type type) {
    return FieldDescriptorProto.newBuilder()
        .setName(name)
        .setNumber(number)
        .setType(type)
        .setLabel(FieldDescriptorProto.Label.LABEL_OPTIONAL)
        .build();
  }

  /** Runs a listing until it has no more pages, and returns its lines. */
  private List<String> pages(String... arguments) {
    List<String> lines = new ArrayList<>();
    String[] next = arguments;
    while (true) {
      out.getBuffer().setLength(0);
      err.getBuffer().setLength(0);
      assertThat(execute(next)).as(err.toString()).isZero();
      lines.addAll(out.toString().lines().toList());
      Matcher more = NEXT.matcher(err.toString());
      if (!more.matches()) {
        assertThat(err.toString()).isEmpty();
        out.getBuffer().setLength(0);
        return lines;
      }
      next = with(new String[] {"--after", more.group(1)}, arguments);
    }
  }

  private void assertRefused(String message, String command, String... arguments) {
    err.getBuffer().setLength(0);
    List<String> all = new ArrayList<>(List.of(command, string));
    all.addAll(Arrays.asList(arguments));
    assertThat(execute(all.toArray(new String[0]))).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString()).isEqualTo("migrate: " + message + "\n");
  }

  private static String[] with(String[] more, String... arguments) {
    String[] all = Arrays.copyOf(arguments, arguments.length + more.length);
    System.arraycopy(more, 0, all, arguments.length, more.length);
    return all;
  }

  private int execute(String... arguments) {
    CommandLine line = MigrateCommand.commandLine();
    line.setOut(new PrintWriter(out));
    line.setErr(new PrintWriter(err));
    return line.execute(arguments);
  }
}
