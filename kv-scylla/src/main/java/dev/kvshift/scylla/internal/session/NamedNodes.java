package dev.kvshift.scylla.internal.session;

import com.datastax.oss.driver.api.core.metadata.EndPoint;
import com.datastax.oss.driver.api.core.ssl.ProgrammaticSslEngineFactory;
import dev.kvshift.api.KvException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/**
 * Opens TLS connections that require a node's certificate to name the host of the connection
 * string, or the address that the cluster reports. The native driver's own factory looks up a name
 * of the address, so an attacker who controls DNS chooses the name that is checked.
 */
final class NamedNodes extends ProgrammaticSslEngineFactory {
  private NamedNodes(SSLContext context) {
    super(context);
  }

  static NamedNodes of(Settings settings) {
    Path trusted = settings.trustStore();
    Path own = settings.keyStore();
    try {
      if (trusted == null && own == null) {
        return new NamedNodes(SSLContext.getDefault());
      }
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(
          own == null ? null : keys(settings, own),
          trusted == null ? null : trust(settings, trusted),
          null);
      return new NamedNodes(context);
    } catch (GeneralSecurityException e) {
      throw new KvException.Permanent("scylla://: cannot set up TLS: check the JDK", e);
    }
  }

  private static TrustManager[] trust(Settings settings, Path file) {
    try {
      TrustManagerFactory trust =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      trust.init(load(file, password(settings, "trustStorePassword")));
      return trust.getTrustManagers();
    } catch (IOException | GeneralSecurityException e) {
      throw unreadable("trustStore", file, e);
    }
  }

  private static KeyManager[] keys(Settings settings, Path file) {
    char[] password = password(settings, "keyStorePassword");
    try {
      KeyManagerFactory keys =
          KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
      keys.init(load(file, password), password);
      return keys.getKeyManagers();
    } catch (IOException | GeneralSecurityException e) {
      throw unreadable("keyStore", file, e);
    }
  }

  private static char @Nullable [] password(Settings settings, String parameter) {
    return settings.string().secret(parameter).map(String::toCharArray).orElse(null);
  }

  private static KeyStore load(Path file, char @Nullable [] password)
      throws IOException, GeneralSecurityException {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    try (InputStream in = Files.newInputStream(file)) {
      store.load(in, password);
    }
    return store;
  }

  private static KvException unreadable(String parameter, Path file, Exception cause) {
    return new KvException.Permanent(
        "scylla://: cannot read "
            + parameter
            + " "
            + file
            + ": give a JKS or PKCS12 file and its "
            + parameter
            + "Password",
        cause);
  }

  @Override
  public SSLEngine newSslEngine(EndPoint remote) {
    InetSocketAddress address = (InetSocketAddress) remote.resolve();
    SSLEngine engine = sslContext.createSSLEngine(address.getHostString(), address.getPort());
    engine.setUseClientMode(true);
    SSLParameters parameters = engine.getSSLParameters();
    parameters.setEndpointIdentificationAlgorithm("HTTPS");
    engine.setSSLParameters(parameters);
    return engine;
  }
}
