package %PACKAGE%;

import dev.kvshift.model.Stores;
import java.io.IOException;

/** Starts the service. {@code STORE} is the connection string, {@code PORT} the port. */
public final class Main {
  private Main() {}

  public static void main(String[] args) throws IOException {
    String store = System.getenv().getOrDefault("STORE", "memory://%NAME%");
    int port = Integer.parseInt(System.getenv().getOrDefault("PORT", "8080"));
    Service service = Service.start(Stores.connect(store), port);
    Runtime.getRuntime().addShutdownHook(new Thread(service::close));
    System.out.println("http://127.0.0.1:" + service.port() + "/health/ready");
  }
}
