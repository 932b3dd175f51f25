package dev.kvshift.scylla.internal.session;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/** An authority and the certificates that it signs, created with the JDK's keytool. */
final class Certificates {
  static final String STORE_PASSWORD = "of-the-key-store";
  private static final String CA = "ca";
  private static final String NODE = "node";

  private final Path folder;

  private Certificates(Path folder) {
    this.folder = folder;
  }

  static Certificates authority(Path folder) throws Exception {
    Files.createDirectories(folder);
    Certificates made = new Certificates(folder);
    made.keytool(CA, CA, "-genkeypair", "-keyalg", "EC", "-dname", "CN=authority", "-ext", "bc:c");
    return made;
  }

  /** Returns a key store whose certificate names a host, such as {@code ip:127.0.0.1}. */
  Path keyStoreFor(String host) throws Exception {
    String name = host.replace(':', '-');
    keytool(name, NODE, "-genkeypair", "-keyalg", "EC", "-dname", "CN=node");
    keytool(name, NODE, "-certreq", "-file", file(name + ".csr"));
    keytool(
        CA,
        CA,
        "-gencert",
        "-infile",
        file(name + ".csr"),
        "-outfile",
        file(name + ".crt"),
        "-ext",
        "san=" + host);
    keytool(CA, CA, "-exportcert", "-file", file("ca.crt"));
    keytool(name, CA, "-importcert", "-noprompt", "-file", file("ca.crt"));
    keytool(name, NODE, "-importcert", "-noprompt", "-file", file(name + ".crt"));
    return folder.resolve(name + ".p12");
  }

  /** Returns a trust store with the authority alone. */
  Path trustStore(String name, String password) throws IOException, GeneralSecurityException {
    KeyStore trust = KeyStore.getInstance("PKCS12");
    trust.load(null, null);
    trust.setCertificateEntry(CA, certificate());
    Path path = folder.resolve(name);
    try (OutputStream out = Files.newOutputStream(path)) {
      trust.store(out, password.toCharArray());
    }
    return path;
  }

  /** Returns the settings of a server that presents the certificate of a key store. */
  static SSLContext serving(Path keyStore) throws IOException, GeneralSecurityException {
    KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    keys.init(load(keyStore), STORE_PASSWORD.toCharArray());
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys.getKeyManagers(), null, null);
    return context;
  }

  private Certificate certificate() throws IOException, GeneralSecurityException {
    return load(folder.resolve("ca.p12")).getCertificate(CA);
  }

  private static KeyStore load(Path path) throws IOException, GeneralSecurityException {
    KeyStore store = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(path)) {
      store.load(in, STORE_PASSWORD.toCharArray());
    }
    return store;
  }

  private void keytool(String store, String alias, String... command) throws Exception {
    List<String> line = new ArrayList<>();
    line.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
    line.addAll(List.of(command));
    line.addAll(List.of("-alias", alias, "-storetype", "PKCS12", "-storepass", STORE_PASSWORD));
    line.addAll(List.of("-keystore", file(store + ".p12")));
    Process process = new ProcessBuilder(line).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IllegalStateException("keytool " + List.of(command) + ": " + said);
    }
  }

  private String file(String name) {
    return folder.resolve(name).toString();
  }
}
