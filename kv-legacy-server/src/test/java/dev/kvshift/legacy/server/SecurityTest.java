package dev.kvshift.legacy.server;

import static dev.kvshift.legacy.server.Stores.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.KvException;
import dev.kvshift.legacy.server.internal.storage.EngineOptions;
import dev.kvshift.spi.Store;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
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
        new ServerOptions(ServerOptions.LOOPBACK, 0, certificate, key, tokenFile));
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
