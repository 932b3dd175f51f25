package dev.kvshift.scylla.internal.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.KvException;
import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.scylla.TestStores;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.VersionClock;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A node that requires a certificate of its clients. */
@Tag("own-server")
final class ClientCertificateTest {
  private static final String TRUST = "of-the-trust-store";

  @TempDir Path folder;

  @Test
  void open_withACertificateOfTheAuthority_isAcceptedAndRefusedWithout() throws Exception {
    Certificates authority = Certificates.authority(folder.resolve("authority"));
    Path trusted = authority.trustStore("trust.p12", TRUST);
    Path own = authority.keyStoreFor("dns:client");
    Path strange = Certificates.authority(folder.resolve("strange")).keyStoreFor("dns:stranger");
    try (CassandraNode node =
        CassandraNode.builder()
            .setting(
                "client_encryption_options",
                "{enabled: true, optional: false, require_client_auth: true, keystore: '"
                    + authority.keyStoreFor("ip:127.0.0.1")
                    + "', keystore_password: '"
                    + Certificates.STORE_PASSWORD
                    + "', truststore: '"
                    + trusted
                    + "', truststore_password: '"
                    + TRUST
                    + "', store_type: PKCS12}")
            .start()) {
      String string =
          "scylla://"
              + node.address()
              + "/secured?create=if-missing&replication=1&timeout=5s&localDatacenter="
              + node.datacenter()
              + "&tls=true&trustStore="
              + encoded(trusted)
              + "&trustStorePassword="
              + TRUST;
      String password = "&keyStorePassword=" + Certificates.STORE_PASSWORD;
      try (Store store = open(string + "&keyStore=" + encoded(own) + password)) {
        assertThat(store.description()).doesNotContain(Certificates.STORE_PASSWORD);
      }
      assertThatThrownBy(() -> open(string).close()).isInstanceOf(KvException.class);
      assertThatThrownBy(() -> open(string + "&keyStore=" + encoded(strange) + password).close())
          .isInstanceOf(KvException.class);
      assertThatThrownBy(
              () -> open(string + "&keyStore=" + encoded(own) + "&keyStorePassword=no").close())
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("cannot read keyStore " + own);
    }
  }

  private static Store open(String string) {
    return TestStores.open(ConnectionString.parse(string), VersionClock.ofProcess());
  }

  private static String encoded(Path path) {
    return URLEncoder.encode(path.toString(), StandardCharsets.UTF_8);
  }
}
