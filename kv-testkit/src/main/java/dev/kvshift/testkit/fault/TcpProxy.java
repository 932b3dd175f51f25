package dev.kvshift.testkit.fault;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A TCP proxy between a driver and its server that cuts, refuses, holds or corrupts what passes.
 * Safe for use by many threads. Closing it closes all connections.
 */
public final class TcpProxy implements AutoCloseable {
  private static final int BUFFER_BYTES = 8 << 10;
  private static final int BACKLOG = 50;

  private final InetSocketAddress server;
  private final ServerSocket listening;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private volatile Mode mode = Mode.PASS;

  private enum Mode {
    PASS,
    REFUSE,
    HOLD_REQUESTS,
    CORRUPT_ANSWERS
  }

  /**
   * Starts a proxy on a free port of the server's own address.
   *
   * @param server a server on this machine
   * @throws IOException if no port can be opened
   */
  public TcpProxy(InetSocketAddress server) throws IOException {
    this.server = server;
    this.listening = new ServerSocket(0, BACKLOG, server.getAddress());
    startDaemon(this::acceptAll);
  }

  /** Returns the address to connect to, as {@code HOST:PORT}. */
  public String address() {
    return listening.getInetAddress().getHostAddress() + ":" + listening.getLocalPort();
  }

  /** Closes every open connection. Later ones are not affected. */
  public void cut() throws IOException {
    for (Socket socket : sockets) {
      socket.close();
    }
    sockets.clear();
  }

  /** Closes every open connection, and closes later ones at once until {@link #pass}. */
  public void refuse() throws IOException {
    mode = Mode.REFUSE;
    cut();
  }

  /** Flips a bit in the last byte of each chunk that the server sends, until {@link #pass}. */
  public void corruptAnswers() {
    mode = Mode.CORRUPT_ANSWERS;
  }

  /**
   * Keeps what clients send until {@link #pass}, which lets it go in order, also that of clients
   * which have closed their connection meanwhile.
   */
  public void holdRequests() {
    mode = Mode.HOLD_REQUESTS;
  }

  /** Forwards everything unchanged again. */
  public synchronized void pass() {
    mode = Mode.PASS;
    notifyAll();
  }

  private synchronized void awaitPass() throws IOException {
    try {
      while (mode == Mode.HOLD_REQUESTS) {
        wait();
      }
    } catch (InterruptedException e) {
      throw new IOException("interrupted while requests were held", e);
    }
  }

  @Override
  public void close() throws IOException {
    listening.close();
    pass();
    cut();
  }

  private static void startDaemon(Runnable task) {
    Thread thread = new Thread(task, "tcp-proxy");
    thread.setDaemon(true);
    thread.start();
  }

  private void acceptAll() {
    while (!listening.isClosed()) {
      try {
        Socket client = listening.accept();
        if (mode == Mode.REFUSE) {
          client.close();
          continue;
        }
        Socket upstream = new Socket(server.getAddress(), server.getPort());
        sockets.add(client);
        sockets.add(upstream);
        startDaemon(() -> forward(client, upstream, false));
        startDaemon(() -> forward(upstream, client, true));
      } catch (IOException e) {
        if (!listening.isClosed()) {
          throw new AssertionError("the proxy cannot connect", e);
        }
      }
    }
  }

  private void forward(Socket from, Socket to, boolean isAnswer) {
    byte[] buffer = new byte[BUFFER_BYTES];
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
        if (isAnswer && mode == Mode.CORRUPT_ANSWERS) {
          buffer[read - 1] ^= 1;
        }
        if (!isAnswer) {
          awaitPass();
        }
        out.write(buffer, 0, read);
      }
    } catch (IOException e) {
      sockets.remove(from);
    }
  }
}
