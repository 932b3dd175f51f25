package dev.kvshift.legacy.server;

import static dev.kvshift.legacy.server.Stores.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.legacy.server.internal.storage.EngineOptions;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests of TLS and tokens. */
class SecurityTest {
  private static final String PASSWORD = "of a key made for this test";

  @TempDir Path directory;

  private RunningServer start(Path certificate, Path key, Path tokenFile) {
    return RunningServer.start(
        EngineOptions.of(directory.resolve("store"), 4),
        ServerOptions.loopback(0)
            .withTls(certificate == null ? null : new ServerOptions.Tls(certificate, key))
            .withTokenFile(tokenFile));
  }

  @Test
  void open_withTheToken_connectsAndWithAnotherIsRefused() throws Exception {
    Path token = Files.writeString(directory.resolve("token"), "sesame\n");
    Path other = Files.writeString(directory.resolve("other"), "barley\n");
    try (RunningServer server = start(null, null, token)) {
      String address = "legacy://" + server.address();
      try (Store store = Stores.open(address + "?token=file:" + token)) {
        assertThat(await(store.serverTime())).isNotNull();
      }
      assertThatThrownBy(() -> Stores.open(address + "?token=file:" + other).close())
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("token")
          .hasMessageNotContaining("barley");
      assertThatThrownBy(() -> Stores.open(address).close())
          .isInstanceOf(KvException.Permanent.class);
    }
  }

  @Test
  void open_tlsWithItsAuthority_connectsAndWithoutIsTransient() throws Exception {
    Path certificate = directory.resolve("certificate.pem");
    Path key = directory.resolve("key.pem");
    writeCertificate(certificate, key);
    try (RunningServer server = start(certificate, key, null)) {
      String address = "legacy://localhost:" + server.port();
      try (Store store = Stores.open(address + "?ca=" + certificate)) {
        assertThat(await(store.serverTime())).isNotNull();
      }
      assertThatThrownBy(() -> Stores.open(address + "?timeout=500ms").close())
          .isInstanceOf(KvException.Transient.class);
      assertThatThrownBy(() -> Stores.open(address + "?tls=true&timeout=500ms").close())
          .isInstanceOf(KvException.Transient.class);
    }
  }

  @Test
  void statistics_tlsAndToken_areShownToWhoHasBoth() throws Exception {
    Path certificate = directory.resolve("certificate.pem");
    Path key = directory.resolve("key.pem");
    writeCertificate(certificate, key);
    Path token = Files.writeString(directory.resolve("token"), "sesame\n");
    Path other = Files.writeString(directory.resolve("other"), "barley\n");
    try (RunningServer server = start(certificate, key, token)) {
      await(server.engine().collection("files"));
      String address = "legacy://localhost:" + server.port() + "?ca=" + certificate;

      ServeTest.Result shown =
          ServeTest.run("statistics", address + "&token=file:" + token, "files", "--json");
      ServeTest.Result refused =
          ServeTest.run("statistics", address + "&token=file:" + other, "files");

      assertThat(shown.err()).isEmpty();
      assertThat(shown.code()).isZero();
      assertThat(shown.out()).startsWith("{\"collection\":\"files\"");
      assertThat(refused.code()).isEqualTo(2);
      assertThat(refused.err()).contains("token").doesNotContain("barley");
      assertThat(refused.err().lines()).hasSize(1);
    }
  }

  @Test
  void start_tokenFileWithoutTokens_isRefused() throws Exception {
    for (String blank : List.of("", "\n", "\n\n")) {
      Path file = Files.writeString(directory.resolve("blank"), blank);

      assertThatThrownBy(() -> start(null, null, file))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessage("token file " + file + " holds no token: add one");
    }
    for (String wrong : List.of(" \n", "two words\n", "serve \n", "serve a b\n")) {
      Path file = Files.writeString(directory.resolve("wrong"), wrong);

      assertThatThrownBy(() -> start(null, null, file))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("a line that is not a token");
    }
  }

  @Test
  void open_onceTheTokenFileIsBlank_admitsNobody() throws Exception {
    Path file = Files.writeString(directory.resolve("token"), "sesame\n");
    Path blank = Files.writeString(directory.resolve("blank"), "\n");
    try (RunningServer server = start(null, null, file)) {
      Files.writeString(file, "");
      String address = "legacy://" + server.address();

      assertThatThrownBy(() -> Stores.open(address).close())
          .isInstanceOf(KvException.Permanent.class);
      assertThatThrownBy(() -> Stores.open(address + "?token=sesame").close())
          .isInstanceOf(KvException.Permanent.class);
      assertThatThrownBy(() -> Stores.open(address + "?token=file:" + blank).close())
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("the token is empty");
    }
  }

  @Test
  void token_ofEachRole_allowsWhatTheRoleIncludes() throws Exception {
    Path file =
        Files.writeString(
            directory.resolve("token"), "serve one\nmigrate two\nadminister three\nfour\n");
    try (RunningServer server = start(null, null, file)) {
      await(server.engine().collection("files"));
      String address = "legacy://" + server.address() + "?token=";
      for (String token : List.of("one", "two", "three", "four")) {
        try (Store store = Stores.open(address + token)) {
          StoreCollection files =
              await(store.open("files", Layout.range(ShardRule.none()), Claim.ACTIVE));
          StoreKey key = StoreKey.of(Bytes.utf8("m"), Bytes.utf8("c"));
          Call call = Call.within(Duration.ofSeconds(10));
          assertThat(await(files.write(key, Mutation.delete(), call))).isPositive();
          if (token.equals("one")) {
            assertThatThrownBy(() -> await(files.changes().window()))
                .isInstanceOf(KvException.Permanent.class)
                .hasMessage(
                    "the token of this connection may serve, and this request needs one that may"
                        + " migrate: use such a token");
          } else {
            assertThat(await(files.changes().window()).newest()).isPositive();
          }
          if (token.equals("one") || token.equals("two")) {
            assertThatThrownBy(() -> await(store.drop("other", 1)))
                .isInstanceOf(KvException.Permanent.class)
                .hasMessageContaining("needs one that may administer");
          } else {
            await(store.drop("other", 1));
          }
        }
      }
      ServeTest.Result refused = ServeTest.run("statistics", address + "one", "files");
      assertThat(refused.code()).isEqualTo(2);
      assertThat(refused.err()).contains("statistics need one that may migrate");
      assertThat(ServeTest.run("statistics", address + "two", "files").code()).isZero();
    }
  }

  @Test
  void token_ofEachRole_changesItsRecords() throws Exception {
    Path file =
        Files.writeString(directory.resolve("token"), "serve one\nmigrate two\nadminister three\n");
    List<String> needed = List.of("instance-1/1", "gate/files", "collection/files");
    try (RunningServer server = start(null, null, file)) {
      String address = "legacy://" + server.address() + "?records=kept&token=";
      List<String> tokens = List.of("one", "two", "three");
      for (int role = 0; role < tokens.size(); role++) {
        try (Store store = Stores.open(address + tokens.get(role))) {
          for (int record = 0; record < needed.size(); record++) {
            String name = needed.get(record);
            assertThat(await(store.metadata().list(name, "", 1))).isEmpty();
            if (record <= role) {
              assertThat(await(store.metadata().compareAndSet(name, null, null))).isTrue();
            } else {
              assertThatThrownBy(() -> await(store.metadata().compareAndSet(name, null, null)))
                  .isInstanceOf(KvException.Permanent.class)
                  .hasMessageContaining("and this request needs one that may");
            }
          }
        }
      }
    }
  }

  @Test
  void start_reachableByOthersWithoutTlsAndToken_needsTheFlag() throws Exception {
    Path token = Files.writeString(directory.resolve("token"), "sesame\n");
    ServerOptions open = ServerOptions.loopback(0).withBind("0.0.0.0");
    EngineOptions store = EngineOptions.of(directory.resolve("store"), 4);

    assertThatThrownBy(() -> RunningServer.start(store, open))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessage(
            "others can reach 0.0.0.0, and the server has no TLS: give --tls-cert, --tls-key and"
                + " --token-file, or --insecure if everybody who can reach it may do everything");
    assertThatThrownBy(() -> RunningServer.start(store, open.withTokenFile(token)))
        .hasMessageContaining("the server has no TLS");
    Path certificate = directory.resolve("certificate.pem");
    Path key = directory.resolve("key.pem");
    writeCertificate(certificate, key);
    ServerOptions encrypted = open.withTls(new ServerOptions.Tls(certificate, key));
    assertThatThrownBy(() -> RunningServer.start(store, encrypted))
        .hasMessageContaining("the server has no tokens");
    RunningServer.start(store, encrypted.withTokenFile(token)).close();
    RunningServer.start(store, open.withInsecure(true)).close();
  }

  @Test
  void open_authorityFileMissing_isPermanent() {
    assertThatThrownBy(() -> Stores.open("legacy://localhost:1?ca=/nowhere.pem").close())
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("/nowhere.pem");
  }

  private void writeCertificate(Path certificate, Path key)
      throws IOException, InterruptedException, GeneralSecurityException {
    Path store = directory.resolve("keys.p12");
    int exit =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                    "-genkeypair",
                    "-alias",
                    "server",
                    "-keyalg",
                    "EC",
                    "-dname",
                    "CN=localhost",
                    "-ext",
                    "SAN=dns:localhost",
                    "-storetype",
                    "PKCS12",
                    "-keystore",
                    store.toString(),
                    "-storepass",
                    PASSWORD))
            .inheritIO()
            .start()
            .waitFor();
    assertThat(exit).isZero();
    KeyStore keys = KeyStore.getInstance(store.toFile(), PASSWORD.toCharArray());
    writePem(certificate, "CERTIFICATE", keys.getCertificate("server").getEncoded());
    writePem(key, "PRIVATE KEY", keys.getKey("server", PASSWORD.toCharArray()).getEncoded());
  }

  private static void writePem(Path file, String what, byte[] content) throws IOException {
    String base64 = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content);
    Files.writeString(
        file, "-----BEGIN " + what + "-----\n" + base64 + "\n-----END " + what + "-----\n");
  }
}
