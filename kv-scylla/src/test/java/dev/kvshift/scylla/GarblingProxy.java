package dev.kvshift.scylla;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Stands between the native driver and a node, and garbles answers when told to. */
final class GarblingProxy implements AutoCloseable {
  private static final int BUFFER_BYTES = 8 << 10;

  private final InetSocketAddress node;
  private final ServerSocket listening;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private volatile boolean garbling;

  GarblingProxy(InetSocketAddress node) throws IOException {
    this.node = node;
    listening = new ServerSocket(0, 50, node.getAddress());
    daemon(this::accept);
  }

  String address() {
    return listening.getInetAddress().getHostAddress() + ":" + listening.getLocalPort();
  }

  /** From now on the last byte of all that the node sends at once is another. */
  void garble() {
    garbling = true;
  }

  private static void daemon(Runnable task) {
    Thread thread = new Thread(task, "garbling-proxy");
    thread.setDaemon(true);
    thread.start();
  }

  private void accept() {
    while (!listening.isClosed()) {
      try {
        Socket client = listening.accept();
        Socket server = new Socket(node.getAddress(), node.getPort());
        sockets.add(client);
        sockets.add(server);
        daemon(() -> pass(client, server, false));
        daemon(() -> pass(server, client, true));
      } catch (IOException e) {
        if (!listening.isClosed()) {
          throw new AssertionError("the proxy cannot connect", e);
        }
      }
    }
  }

  private void pass(Socket from, Socket to, boolean answers) {
    byte[] buffer = new byte[BUFFER_BYTES];
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
        if (answers && garbling) {
          buffer[read - 1] ^= 1;
        }
        out.write(buffer, 0, read);
      }
    } catch (IOException e) {
      sockets.remove(from);
    }
  }

  @Override
  public void close() throws IOException {
    listening.close();
    for (Socket socket : sockets) {
      socket.close();
    }
  }
}
