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
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManagerFactory;

/**
 * TLS connections that require a node's certificate to name the host of the connection string, or
 * the address that the cluster reports. The native driver's own factory looks up a name of the
 * address, so whoever answers DNS chooses the name that is checked.
 */
final class NamedNodes extends ProgrammaticSslEngineFactory {
  private NamedNodes(SSLContext context) {
    super(context);
  }

  static NamedNodes trusting(Settings settings) {
    Path file = settings.trustStore();
    try {
      if (file == null) {
        return new NamedNodes(SSLContext.getDefault());
      }
      KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
      try (InputStream in = Files.newInputStream(file)) {
        store.load(
            in,
            settings.string().secret("trustStorePassword").map(String::toCharArray).orElse(null));
      }
      TrustManagerFactory trust =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      trust.init(store);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, trust.getTrustManagers(), null);
      return new NamedNodes(context);
    } catch (IOException | GeneralSecurityException e) {
      throw new KvException.Permanent(
          "scylla://: cannot read trustStore "
              + file
              + ": give a JKS or PKCS12 file and its trustStorePassword",
          e);
    }
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
