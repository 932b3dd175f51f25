package dev.kvshift.legacy.server;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Stands between driver and server, and cuts what goes through it. */
final class CuttingProxy implements AutoCloseable {
  private static final int BUFFER_BYTES = 8 << 10;

  private final ServerSocket listening;
  private final int target;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private volatile boolean refusing;

  CuttingProxy(int target) throws IOException {
    this.target = target;
    listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    daemon(this::accept);
  }

  int port() {
    return listening.getLocalPort();
  }

  /** Cuts every connection; the next ones go through. */
  void cut() throws IOException {
    for (Socket socket : sockets) {
      socket.close();
    }
    sockets.clear();
  }

  /** Cuts every connection and lets none through until told otherwise. */
  void refuse(boolean refused) throws IOException {
    refusing = refused;
    cut();
  }

  private static void daemon(Runnable task) {
    Thread thread = new Thread(task, "cutting-proxy");
    thread.setDaemon(true);
    thread.start();
  }

  private void accept() {
    while (!listening.isClosed()) {
      try {
        Socket from = listening.accept();
        if (refusing) {
          from.close();
          continue;
        }
        Socket to = new Socket(InetAddress.getLoopbackAddress(), target);
        sockets.add(from);
        sockets.add(to);
        daemon(() -> pass(from, to));
        daemon(() -> pass(to, from));
      } catch (IOException e) {
        if (!listening.isClosed()) {
          throw new AssertionError("the proxy cannot connect", e);
        }
      }
    }
  }

  private static void pass(Socket from, Socket to) {
    byte[] buffer = new byte[BUFFER_BYTES];
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
        out.write(buffer, 0, read);
      }
    } catch (IOException e) {
      buffer[0] = 0;
    }
  }

  @Override
  public void close() throws IOException {
    listening.close();
    cut();
  }
}
