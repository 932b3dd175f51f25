package dev.kvshift.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.ConnectionString.Host;
import dev.kvshift.api.ConnectionString.Parameter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ConnectionStringTest {
  private static final String SECRET = "s3cr3t-Zq";

  @Test
  void parse_everyPart_isRead() {
    assertThat(
            ConnectionString.parse(
                "scylla://app:p%40ss@db-1:9042,[::1]:9043,db_3/orders?timeout=5s&dc=eu%26us"))
        .isEqualTo(
            ConnectionString.of("scylla")
                .withUser("app", "p@ss")
                .withHosts(List.of(Host.of("db-1", 9042), Host.of("::1", 9043), Host.of("db_3")))
                .withPath("orders")
                .withParameters(Map.of("timeout", "5s", "dc", "eu&us")));
  }

  @Test
  void parse_noHosts_pathKeepsItsSlash() {
    ConnectionString string = ConnectionString.parse("legacy:///var/data");
    assertThat(string.hosts()).isEmpty();
    assertThat(string.path()).isEqualTo("/var/data");
    assertThat(string.print()).isEqualTo("legacy:///var/data");
  }

  @Test
  void parse_plus_isAPlus() {
    assertThat(ConnectionString.parse("s://h?a=1+2").parameter("a")).contains("1+2");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "nothing",
        "://h",
        "S://h",
        "s://h:0",
        "s://h:65536",
        "s://h:x",
        "s://h:",
        "s://a,,b",
        "s://[::1",
        "s://[nine]:1",
        "s://[::1]9",
        "s://::1",
        "s://h?x",
        "s://h?=1",
        "s://h?a=1&a=2",
        "s://h?a=1&",
        "s://h?a=%",
        "s://h?a=%zz",
        "s://h?a=%ff",
        "s://u@h@i",
        "s://ho st"
      })
  void parse_malformed_isPermanent(String text) {
    assertThatThrownBy(() -> ConnectionString.parse(text))
        .isInstanceOf(KvException.Permanent.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "s://u:" + SECRET + "@h@i",
        "s://u:" + SECRET,
        "s://u:x?" + SECRET + "@h",
        "s://u:x&" + SECRET + "@h:x",
        "s://u:%" + SECRET + "@h",
        "s://h?old=s://u:" + SECRET + "@h&" + SECRET,
        "s://u:" + SECRET + "/x@h:y"
      })
  void parse_malformed_neverTellsWhatMayBeSecret(String text) {
    assertThatThrownBy(() -> ConnectionString.parse(text))
        .isInstanceOf(KvException.Permanent.class)
        .satisfies(error -> assertThat(error.getMessage()).doesNotContain(SECRET));
  }

  @Test
  void toString_password_isHidden() {
    assertThat(ConnectionString.parse("s://u:" + SECRET + "@h/p?a=1"))
        .hasToString("s://u:***@h/p?a=1");
  }

  @Test
  void toString_references_areShown() {
    assertThat(ConnectionString.parse("s://u:env:PW@h?old=file:/run/old"))
        .hasToString("s://u:env:PW@h?old=file:/run/old");
  }

  @Test
  void toString_nestedStrings_hideTheirSecrets() {
    ConnectionString innermost =
        ConnectionString.parse("s://u:" + SECRET + "@h?trustPassword=" + SECRET);
    ConnectionString inner = nesting("transition", innermost.print());
    ConnectionString outer = nesting("transition", inner.print());
    assertThat(innermost).hasToString("s://u:***@h?trustPassword=***");
    assertThat(inner).hasToString("transition://n?old=s://u:***@h?trustPassword=***");
    assertThat(outer.toString())
        .doesNotContain(SECRET)
        .startsWith("transition://n?old=transition:");
    assertThat(nesting("transition", PercentCode.encode(innermost.print(), ":/@?&")).toString())
        .isEqualTo("transition://n?old=***");
    assertThat(nesting("transition", "x://u:" + SECRET + "@h@i"))
        .hasToString("transition://n?old=***");
  }

  private static ConnectionString nesting(String scheme, String old) {
    return ConnectionString.of(scheme)
        .withHosts(List.of(Host.of("n")))
        .withParameters(Map.of("old", old));
  }

  @Test
  void nested_plainEncodedAndByReference_isTheSame(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("old");
    Files.writeString(file, "legacy://a:1,b:2?x=1&y=2\n");
    ConnectionString expected = ConnectionString.parse("legacy://a:1,b:2?x=1&y=2");
    assertThat(ConnectionString.parse("transition://n?old=file:" + file).nested("old"))
        .isEqualTo(expected);
    assertThat(
            ConnectionString.parse("transition://n?old=legacy://a:1,b:2?x=1%26y=2").nested("old"))
        .isEqualTo(expected);
    assertThat(nesting("transition", expected.print()).nested("old")).isEqualTo(expected);
    assertThat(ConnectionString.resolve("file:" + file)).isEqualTo(expected);
  }

  @Test
  void parse_documentedManifest_needsNoEncodingAndShowsNoSecret() throws IOException {
    Path document = Path.of(System.getProperty("kvshift.root"), "docs/architecture.md");
    List<String> values =
        Files.readAllLines(document).stream()
            .map(String::strip)
            .filter(line -> line.startsWith("value: "))
            .map(line -> line.substring("value: ".length()))
            .toList();
    assertThat(values).hasSize(3);
    assertThat(values)
        .allSatisfy(
            value -> {
              ConnectionString string = ConnectionString.parse(value);
              assertThat(string.print()).isEqualTo(value);
              assertThat(string).hasToString(value);
            });
    assertThat(ConnectionString.parse(values.get(2)).parameters())
        .isEqualTo(Map.of("old", "env:ORDERS_OLD", "new", "env:ORDERS_NEW"));
    assertThat(ConnectionString.parse(values.get(1)).password())
        .isEqualTo("file:/run/secrets/scylla");
  }

  @Test
  void nested_malformed_namesTheParameterAndNoSecret(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("old");
    Files.writeString(file, "legacy://u:" + SECRET + "@h:" + SECRET);
    assertThatThrownBy(
            () -> ConnectionString.parse("transition://n?old=file:" + file).nested("old"))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageStartingWith("parameter 'old' of transition://: ")
        .satisfies(error -> assertThat(error.getMessage()).doesNotContain(SECRET));
  }

  @Test
  void currentPassword_file_isReadAnewEachTime(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("pw");
    ConnectionString string = ConnectionString.parse("s://u:file:" + file + "@h");
    Files.writeString(file, "one\r\n");
    assertThat(string.currentPassword()).contains("one");
    Files.writeString(file, " two ");
    assertThat(string.currentPassword()).contains(" two ");
    Files.delete(file);
    assertThatThrownBy(string::currentPassword)
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("cannot be read");
  }

  @Test
  void currentPassword_environment_isRead() {
    Map.Entry<String, String> any = System.getenv().entrySet().stream().findFirst().orElseThrow();
    String name = PercentCode.encode(any.getKey(), ":@?");
    assertThat(ConnectionString.parse("s://u:env:" + name + "@h").currentPassword())
        .contains(any.getValue());
    assertThatThrownBy(
            () -> ConnectionString.parse("s://u:env:KVSHIFT_NO_SUCH@h").currentPassword())
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("env:KVSHIFT_NO_SUCH");
  }

  @Test
  void currentPassword_literalOrNone_isAsGiven() {
    assertThat(ConnectionString.parse("s://u:pw@h").currentPassword()).contains("pw");
    assertThat(ConnectionString.parse("s://u@h").currentPassword()).isEmpty();
    assertThat(ConnectionString.parse("s://h").currentPassword()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"tmeout,timeout", "TIMEOUT,timeout", "maxinflight,maxInFlight", "local,''", "x,''"})
  void requireKnown_unknown_suggestsTheNearest(String given, String suggested) {
    List<Parameter> known =
        List.of(
            Parameter.optional("timeout", "10s", "of an operation"),
            Parameter.optional("maxInFlight", "64", "requests"),
            Parameter.optional("trustStore", "", "file"));
    assertThatThrownBy(() -> ConnectionString.parse("s://h?" + given + "=1").requireKnown(known))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessage(
            "s:// takes no parameter '"
                + given
                + "'"
                + (suggested.isEmpty() ? ":" : ", did you mean '" + suggested + "'?")
                + " it takes maxInFlight, timeout, trustStore");
  }

  @Test
  void requireKnown_requiredMissing_isPermanent() {
    List<Parameter> known = List.of(Parameter.required("dc", "datacenter"));
    ConnectionString.parse("s://h?dc=a").requireKnown(known);
    assertThatThrownBy(() -> ConnectionString.parse("s://h").requireKnown(known))
        .hasMessage("s:// needs the parameter 'dc': add dc=…");
  }

  @Test
  void print_randomStrings_parseBackToTheSame() {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    for (int i = 0; i < 20_000; i++) {
      ConnectionString string = random(random);
      assertThat(ConnectionString.parse(string.print()))
          .as("seed %s, %s", seed, i)
          .isEqualTo(string);
      assertThat(nesting("transition", string.print()).nested("old"))
          .as("seed %s, %s", seed, i)
          .isEqualTo(string);
    }
  }

  private static ConnectionString random(Random random) {
    List<Host> hosts = new ArrayList<>();
    for (int i = random.nextInt(4); i > 0; i--) {
      String name = random.nextBoolean() ? "h-" + i : "2001:db8::" + i;
      hosts.add(random.nextInt(4) == 0 ? Host.of(name) : Host.of(name, 1 + random.nextInt(65_535)));
    }
    boolean withUser = random.nextBoolean();
    Map<String, String> parameters = new LinkedHashMap<>();
    for (int i = random.nextInt(4); i > 0; i--) {
      parameters.put("p" + i, text(random));
    }
    String path = text(random);
    return ConnectionString.of("s" + random.nextInt(9))
        .withUser(
            withUser ? text(random) : null, withUser && random.nextBoolean() ? text(random) : null)
        .withHosts(hosts)
        .withPath(hosts.isEmpty() && !path.isEmpty() ? "/" + path : path)
        .withParameters(parameters);
  }

  private static String text(Random random) {
    String letters = "ab:/@?&=%#+ ,[]*\"\\äß€\u0000\n😀";
    StringBuilder text = new StringBuilder();
    int[] points = letters.codePoints().toArray();
    for (int i = random.nextInt(12); i > 0; i--) {
      text.appendCodePoint(points[random.nextInt(points.length)]);
    }
    String made = text.toString();
    return Reference.isReference(made) ? "x" + made : made;
  }
}
