package dev.kvshift.bench.scylla;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * A proxy of the native protocol, version 4, that learns a node's answers and then returns them
 * itself at almost no cost.
 *
 * <p>At first it passes all requests on to the node. While {@linkplain #learn learning}, it also
 * keeps the last answer to each prepared statement. While {@linkplain #replay replaying}, it
 * answers these statements itself and passes on the rest. The names of its threads begin with
 * {@link #THREAD_PREFIX}, so that their cost can be left out of the client's. Closing the proxy
 * cuts all connections.
 */
final class ReplayProxy implements AutoCloseable {
  static final String THREAD_PREFIX = "replay-";

  private static final int BUFFER_BYTES = 256 << 10;
  private static final int HEADER_BYTES = 9;
  private static final int MAX_VERSION = 4;
  private static final int RESPONSE = 0x80;
  private static final int OPCODE_ERROR = 0x00;
  private static final int OPCODE_EXECUTE = 0x0a;
  private static final int OPCODE_BATCH = 0x0d;
  private static final int PROTOCOL_ERROR = 0x000a;

  private final InetSocketAddress node;
  private final ServerSocket listening;
  private final Map<ByteBuffer, byte[]> answers = new ConcurrentHashMap<>();
  private final List<Socket> sockets = new CopyOnWriteArrayList<>();
  private final LongAdder requests = new LongAdder();
  private volatile boolean learning;
  private volatile boolean replaying;
  private volatile boolean closed;

  private ReplayProxy(InetSocketAddress node, ServerSocket listening) {
    this.node = node;
    this.listening = listening;
  }

  static ReplayProxy start(InetSocketAddress node) throws IOException {
    ReplayProxy proxy =
        new ReplayProxy(node, new ServerSocket(0, 16, InetAddress.getLoopbackAddress()));
    thread("accept", proxy::accept);
    return proxy;
  }

  InetSocketAddress address() {
    return new InetSocketAddress(listening.getInetAddress(), listening.getLocalPort());
  }

  /** Passes all requests on to the node from now on, and keeps its answers. */
  void learn() {
    replaying = false;
    learning = true;
  }

  /** Answers known statements from now on. */
  void replay() {
    learning = false;
    replaying = true;
  }

  /** Passes all requests on to the node from now on. */
  void forward() {
    learning = false;
    replaying = false;
  }

  /** Returns the number of known statements. */
  int known() {
    return answers.size();
  }

  /** Returns the number of prepared statements and batches that clients have sent so far. */
  long requests() {
    return requests.sum();
  }

  private static void thread(String name, IoTask work) {
    Thread thread =
        new Thread(
            () -> {
              try {
                work.run();
              } catch (EOFException | SocketException e) {
                // The other side has closed the connection, which also ends this side.
              } catch (IOException e) {
                throw new UncheckedIOException("the proxy lost a connection", e);
              }
            },
            THREAD_PREFIX + name);
    thread.setDaemon(true);
    thread.start();
  }

  /** The work of a thread of the proxy until its connection ends. */
  private interface IoTask {
    void run() throws IOException;
  }

  private void accept() throws IOException {
    while (!closed) {
      Socket client = listening.accept();
      Socket server = new Socket(node.getAddress(), node.getPort());
      client.setTcpNoDelay(true);
      server.setTcpNoDelay(true);
      sockets.add(client);
      sockets.add(server);
      Connection connection = new Connection(client, server);
      thread("client", connection::requests);
      thread("server", connection::responses);
    }
  }

  @Override
  public void close() throws IOException {
    closed = true;
    listening.close();
    for (Socket socket : sockets) {
      socket.close();
    }
  }

  /** A frame of the protocol: a header and a body. */
  private static final class Frame {
    private final byte[] header = new byte[HEADER_BYTES];
    private byte[] body = new byte[1 << 10];
    private int length;

    void read(DataInputStream in) throws IOException {
      in.readFully(header);
      length = ByteBuffer.wrap(header).getInt(5);
      if (body.length < length) {
        body = new byte[length];
      }
      in.readFully(body, 0, length);
    }

    int version() {
      return header[0] & 0x7f;
    }

    int opcode() {
      return header[4];
    }

    short stream() {
      return ByteBuffer.wrap(header).getShort(2);
    }

    /** Returns the id of the statement, with which the body of EXECUTE begins. */
    ByteBuffer statement() {
      int idLength = ByteBuffer.wrap(body).getShort();
      return ByteBuffer.wrap(body, Short.BYTES, idLength);
    }

    void write(OutputStream out) throws IOException {
      out.write(header);
      out.write(body, 0, length);
    }
  }

  private final class Connection {
    private final DataInputStream fromClient;
    private final BufferedInputStream clientBuffer;
    private final BufferedOutputStream toClient;
    private final DataInputStream fromServer;
    private final BufferedOutputStream toServer;
    private final Map<Short, ByteBuffer> asked = new ConcurrentHashMap<>();

    Connection(Socket client, Socket server) throws IOException {
      clientBuffer = new BufferedInputStream(client.getInputStream(), BUFFER_BYTES);
      fromClient = new DataInputStream(clientBuffer);
      toClient = new BufferedOutputStream(client.getOutputStream(), BUFFER_BYTES);
      fromServer =
          new DataInputStream(new BufferedInputStream(server.getInputStream(), BUFFER_BYTES));
      toServer = new BufferedOutputStream(server.getOutputStream(), BUFFER_BYTES);
    }

    void requests() throws IOException {
      Frame frame = new Frame();
      Map<ByteBuffer, byte[]> known = new HashMap<>();
      byte[] header = new byte[HEADER_BYTES];
      while (true) {
        if (clientBuffer.available() == 0) {
          synchronized (toClient) {
            toClient.flush();
          }
        }
        frame.read(fromClient);
        if (frame.version() > MAX_VERSION) {
          refuseVersion(frame);
          continue;
        }
        if (frame.opcode() == OPCODE_EXECUTE || frame.opcode() == OPCODE_BATCH) {
          requests.increment();
        }
        if (frame.opcode() == OPCODE_EXECUTE) {
          byte[] answer = replaying ? answer(known, frame.statement()) : null;
          if (answer != null) {
            System.arraycopy(answer, 0, header, 0, HEADER_BYTES);
            header[2] = frame.header[2];
            header[3] = frame.header[3];
            synchronized (toClient) {
              toClient.write(header);
              toClient.write(answer, HEADER_BYTES, answer.length - HEADER_BYTES);
            }
            continue;
          }
          if (learning) {
            ByteBuffer id = frame.statement();
            byte[] copy = new byte[id.remaining()];
            id.get(copy);
            asked.put(frame.stream(), ByteBuffer.wrap(copy));
          }
        }
        frame.write(toServer);
        toServer.flush();
      }
    }

    private byte @Nullable [] answer(Map<ByteBuffer, byte[]> known, ByteBuffer statement) {
      byte[] answer = known.get(statement);
      if (answer == null) {
        answer = answers.get(statement);
        if (answer != null) {
          byte[] copy = new byte[statement.remaining()];
          statement.duplicate().get(copy);
          known.put(ByteBuffer.wrap(copy), answer);
        }
      }
      return answer;
    }

    /** Answers like a server that knows version 4 at most; the driver then tries version 4. */
    private void refuseVersion(Frame frame) throws IOException {
      byte[] message =
          ("Invalid or unsupported protocol version ("
                  + frame.version()
                  + "); the lowest supported version is 3 and the greatest is "
                  + MAX_VERSION)
              .getBytes(StandardCharsets.UTF_8);
      ByteBuffer refusal =
          ByteBuffer.allocate(HEADER_BYTES + Integer.BYTES + Short.BYTES + message.length);
      refusal.put((byte) (RESPONSE | MAX_VERSION)).put((byte) 0).putShort(frame.stream());
      refusal.put((byte) OPCODE_ERROR).putInt(Integer.BYTES + Short.BYTES + message.length);
      refusal.putInt(PROTOCOL_ERROR).putShort((short) message.length).put(message);
      synchronized (toClient) {
        toClient.write(refusal.array());
        toClient.flush();
      }
    }

    void responses() throws IOException {
      Frame frame = new Frame();
      while (true) {
        frame.read(fromServer);
        ByteBuffer statement = asked.remove(frame.stream());
        if (statement != null && frame.opcode() != OPCODE_ERROR) {
          byte[] answer = new byte[HEADER_BYTES + frame.length];
          System.arraycopy(frame.header, 0, answer, 0, HEADER_BYTES);
          System.arraycopy(frame.body, 0, answer, HEADER_BYTES, frame.length);
          answers.put(statement, answer);
        }
        synchronized (toClient) {
          frame.write(toClient);
          toClient.flush();
        }
      }
    }
  }
}
