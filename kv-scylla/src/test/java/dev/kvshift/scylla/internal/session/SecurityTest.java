package dev.kvshift.scylla.internal.session;

import static dev.kvshift.scylla.TestStores.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.servererrors.UnauthorizedException;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.ShardRule;
import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.scylla.CapturedLog;
import dev.kvshift.scylla.TestStores;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A node that requires TLS and a password. */
@Tag("own-server")
final class SecurityTest {
  private static final String WRONG = "not-the-password";
  private static final String RIGHT = "cassandra";
  private static final String TRUST = "of-the-trust-store";

  @TempDir static Path folder;
  private static Path trusted;
  private static Certificates authority;
  private static CassandraNode node;

  @BeforeAll
  static void start() throws Exception {
    authority = Certificates.authority(folder.resolve("authority"));
    trusted = authority.trustStore("trust.p12", TRUST);
    String keyStore = authority.keyStoreFor("ip:127.0.0.1").toString();
    node =
        CassandraNode.builder()
            .setting("authenticator", "PasswordAuthenticator")
            .setting("authorizer", "CassandraAuthorizer")
            .setting(
                "client_encryption_options",
                "{enabled: true, optional: false, keystore: '"
                    + keyStore
                    + "', keystore_password: '"
                    + Certificates.STORE_PASSWORD
                    + "', store_type: PKCS12}")
            .start();
    openOnceTheRoleIsThere().close();
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  @Test
  void open_passwords_areCheckedReadAnewAndNeverShown() throws Exception {
    Path file = folder.resolve("password");
    Files.writeString(file, WRONG);
    try (CapturedLog log = new CapturedLog()) {
      String plain = shown(refusal(WRONG, node.address(), trusted, TRUST));
      String referred = shown(refusal("file:" + file, node.address(), trusted, TRUST));
      Files.writeString(file, RIGHT + "\n");
      try (Store store = open("file:" + file, node.address(), trusted, TRUST)) {
        assertThat(await(store.metadata().compareAndSet("box/a", null, Bytes.utf8("1")))).isTrue();
        assertThat(store.description() + store).doesNotContain(RIGHT + ":" + RIGHT, TRUST);
      }
      assertThat(plain + referred).doesNotContain(WRONG, TRUST);
      assertThat(log.lines()).isNotEmpty();
      assertThat(String.join("\n", log.lines()))
          .contains("INFO opened scylla://cassandra:")
          .doesNotContain(WRONG, TRUST, RIGHT + ":" + RIGHT);
    }
  }

  @Test
  void open_trustStorePasswordByReference_isRead() throws Exception {
    Path file = folder.resolve("trust-password");
    Files.writeString(file, TRUST + "\n");
    open(RIGHT, node.address(), trusted, "file:" + file).close();
    Path copy = authority.trustStore("by-environment.p12", System.getenv("PATH"));
    open(RIGHT, node.address(), copy, "env:PATH").close();
  }

  @Test
  void open_wrongTrustStorePassword_isPermanentAndNotShown() {
    Throwable error = refusal(RIGHT, node.address(), trusted, WRONG);
    assertThat(error).hasMessageContaining("cannot read trustStore " + trusted);
    assertThat(shown(error)).doesNotContain(WRONG);
  }

  @Test
  void open_unknownAuthority_isRefused() throws Exception {
    Path unknown = Certificates.authority(folder.resolve("unknown")).trustStore("trust.p12", TRUST);
    assertThat(refusal(RIGHT, node.address(), unknown, TRUST))
        .hasMessageContaining("SSLHandshakeException: PKIX path");
  }

  @Test
  void open_certificateOfAnotherHost_isRefused() {
    String byName = "localhost:" + node.contactPoint().getPort();
    assertThat(refusal(RIGHT, byName, trusted, TRUST))
        .hasMessageContaining("SSLHandshakeException: No name matching localhost found");
  }

  /** Whoever answers DNS could give an address any name. */
  @Test
  void open_certificateOfTheAddresssNameAlone_isRefused() throws Exception {
    Path keyStore = authority.keyStoreFor("dns:localhost");
    try (SSLServerSocket server =
        (SSLServerSocket)
            Certificates.serving(keyStore)
                .getServerSocketFactory()
                .createServerSocket(0, 1, node.contactPoint().getAddress())) {
      CompletableFuture<Void> handshake =
          CompletableFuture.runAsync(
              () -> {
                try (SSLSocket socket = (SSLSocket) server.accept()) {
                  socket.startHandshake();
                  assertThat(socket.getInputStream().read()).isNegative();
                } catch (IOException e) {
                  throw new CompletionException(e);
                }
              });
      assertThat(refusal(RIGHT, "127.0.0.1:" + server.getLocalPort(), trusted, TRUST))
          .hasMessageContaining("No subject alternative names matching IP address 127.0.0.1 found");
      assertThatThrownBy(handshake::join)
          .as("the client's alert, or its hanging up, whichever the server meets first")
          .hasCauseInstanceOf(IOException.class);
    }
  }

  @Test
  void open_withoutEncryption_isRefusedByTheNode() {
    ConnectionString plain = ConnectionString.parse(text(RIGHT, node.address(), "&timeout=500ms"));
    assertThatThrownBy(() -> TestStores.open(plain, VersionClock.ofProcess()))
        .isInstanceOf(KvException.class);
  }

  /**
   * A role with SELECT and MODIFY on its keyspace can do everything but change the schema. The node
   * refuses a table of its own to it, as ScyllaDB refuses {@code system.versions} to all but
   * superusers.
   */
  @Test
  void open_plainRole_readsOnlyWhatEveryRoleMayRead() {
    Layout layout = Layout.range(ShardRule.none());
    try (Store store = open(RIGHT, node.address(), trusted, TRUST)) {
      await(store.open("granted", layout, Claim.ACTIVE));
      await(
          store
              .locks("orders")
              .tryLockAll(Set.of(Bytes.utf8("k")), Duration.ofSeconds(10), call()));
    }
    Settings admin = Settings.of(secured("cassandra", RIGHT, "if-missing"));
    try (CqlSession session = Sessions.open(admin)) {
      session.execute("CREATE ROLE app WITH PASSWORD = 'of-app' AND LOGIN = true");
      session.execute("GRANT SELECT ON KEYSPACE secured TO app");
      session.execute("GRANT MODIFY ON KEYSPACE secured TO app");
    }
    ConnectionString app = secured("app", "of-app", "never");
    try (CqlSession session = Sessions.open(Settings.of(app))) {
      assertThatThrownBy(() -> session.execute("SELECT role FROM system_auth.roles"))
          .isInstanceOf(UnauthorizedException.class);
    }
    try (Store store = TestStores.open(app, VersionClock.ofProcess())) {
      StoreCollection granted = await(store.open("granted", layout, Claim.ACTIVE));
      StoreKey key = StoreKey.of(Bytes.utf8("main"), Bytes.utf8("1"));
      await(granted.write(key, Mutation.put(Bytes.utf8("v")), call()));
      assertThat(await(granted.get(key, call()))).isNotNull();
      assertThat(
              await(
                      granted.range(
                          key.main(), key.shard(), Range.all(), PageLimit.entries(9), call()))
                  .rows())
          .hasSize(1);
      assertThat(await(store.metadata().compareAndSet("box/app", null, Bytes.utf8("1")))).isTrue();
      assertThat(await(store.metadata().list("box/", "", 9))).containsKey("box/app");
      await(
          store
              .locks("orders")
              .tryLockAll(Set.of(Bytes.utf8("l")), Duration.ofSeconds(10), call()));
      assertThatThrownBy(() -> await(store.open("further", layout, Claim.ACTIVE)))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("or run: CREATE TABLE ");
    }
  }

  private static ConnectionString secured(String user, String password, String create) {
    return ConnectionString.parse(
            text(
                RIGHT,
                node.address(),
                "&tls=true&trustStore=" + encoded(trusted) + "&trustStorePassword=" + TRUST))
        .withUser(user, password)
        .withParameters(
            Map.of(
                "localDatacenter",
                node.datacenter(),
                "create",
                create,
                "replication",
                "1",
                "tls",
                "true",
                "trustStore",
                trusted.toString(),
                "trustStorePassword",
                TRUST));
  }

  private static Call call() {
    return Call.within(Duration.ofSeconds(10));
  }

  /** A new node creates its first role a moment after it answers. */
  private static Store openOnceTheRoleIsThere() {
    long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    while (true) {
      try {
        return open(RIGHT, node.address(), trusted, TRUST);
      } catch (KvException.Permanent e) {
        if (System.nanoTime() > end) {
          throw e;
        }
      }
    }
  }

  private static Throwable refusal(String password, String address, Path trust, String secret) {
    Throwable error = catchThrowable(() -> open(password, address, trust, secret).close());
    assertThat(error).isInstanceOf(KvException.Permanent.class);
    return error;
  }

  private static Store open(String password, String address, Path trust, String secret) {
    return TestStores.open(
        ConnectionString.parse(
            text(
                password,
                address,
                "&tls=true&trustStore=" + encoded(trust) + "&trustStorePassword=" + secret)),
        VersionClock.ofProcess());
  }

  private static String text(String password, String address, String more) {
    return "scylla://cassandra:"
        + password
        + "@"
        + address
        + "/secured?localDatacenter="
        + node.datacenter()
        + "&create=if-missing&replication=1"
        + more;
  }

  private static String encoded(Path path) {
    return URLEncoder.encode(path.toString(), StandardCharsets.UTF_8);
  }

  private static String shown(Throwable error) {
    StringWriter text = new StringWriter();
    error.printStackTrace(new PrintWriter(text));
    return text.toString();
  }
}
