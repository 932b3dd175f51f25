package dev.kvshift.embedded;

import java.io.BufferedOutputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The few requests of both wire protocols that tests need, in place of client libraries. */
final class Wire implements AutoCloseable {
  static final int CQL_READY = 0x02;
  static final int CQL_SUPPORTED = 0x06;
  static final int CQL_RESULT = 0x08;
  private static final int CQL_STARTUP = 0x01;
  private static final int CQL_OPTIONS = 0x05;
  private static final int CQL_QUERY = 0x07;
  private static final int CQL_QUORUM = 0x04;
  private static final int KAFKA_API_VERSIONS = 18;
  private static final int TIMEOUT_MILLIS = 15_000;

  private final Socket socket;
  private final DataInputStream in;
  private final DataOutputStream out;

  Wire(InetSocketAddress address, int timeoutMillis) throws IOException {
    socket = new Socket();
    socket.connect(address, timeoutMillis);
    socket.setSoTimeout(timeoutMillis);
    in = new DataInputStream(socket.getInputStream());
    socket.setTcpNoDelay(true);
    out = new DataOutputStream(new BufferedOutputStream(socket.getOutputStream()));
  }

  static Wire cql(CassandraNode node) throws IOException {
    Wire wire = new Wire(node.contactPoint(), TIMEOUT_MILLIS);
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    DataOutputStream data = new DataOutputStream(body);
    data.writeShort(1);
    data.writeUTF("CQL_VERSION");
    data.writeUTF("3.0.0");
    wire.cqlRequest(CQL_STARTUP, body.toByteArray());
    wire.expect(CQL_READY);
    return wire;
  }

  /** Returns the opcode that answers OPTIONS. */
  static int cqlOptions(CassandraNode node, int timeoutMillis) throws IOException {
    try (Wire wire = new Wire(node.contactPoint(), timeoutMillis)) {
      wire.cqlRequest(CQL_OPTIONS, new byte[0]);
      return wire.cqlAnswer().opcode();
    }
  }

  /** Runs a statement at consistency QUORUM and returns the rows, which have one text column. */
  List<String> query(String statement) throws IOException {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    DataOutputStream data = new DataOutputStream(body);
    byte[] text = statement.getBytes(StandardCharsets.UTF_8);
    data.writeInt(text.length);
    data.write(text);
    data.writeShort(CQL_QUORUM);
    data.writeByte(0);
    cqlRequest(CQL_QUERY, body.toByteArray());
    DataInputStream answer = expect(CQL_RESULT);
    List<String> rows = new ArrayList<>();
    if (answer.readInt() == 2) {
      answer.readInt();
      answer.readInt();
      answer.readUTF();
      answer.readUTF();
      answer.readUTF();
      answer.readShort();
      int count = answer.readInt();
      for (int i = 0; i < count; i++) {
        int length = answer.readInt();
        rows.add(
            length < 0 ? "null" : new String(answer.readNBytes(length), StandardCharsets.UTF_8));
      }
    }
    return rows;
  }

  /** Returns the error code that answers ApiVersions. */
  static int kafkaApiVersions(KafkaBroker broker) throws IOException {
    String port = broker.bootstrapServers().substring("127.0.0.1:".length());
    InetSocketAddress socket = new InetSocketAddress(Loopback.address(1), Integer.parseInt(port));
    try (Wire wire = new Wire(socket, TIMEOUT_MILLIS)) {
      ByteArrayOutputStream body = new ByteArrayOutputStream();
      DataOutputStream data = new DataOutputStream(body);
      data.writeShort(KAFKA_API_VERSIONS);
      data.writeShort(0);
      data.writeInt(4711);
      data.writeUTF("test");
      wire.out.writeInt(body.size());
      wire.out.write(body.toByteArray());
      wire.out.flush();
      wire.in.readInt();
      if (wire.in.readInt() != 4711) {
        throw new IOException("answer to another request");
      }
      return wire.in.readShort();
    }
  }

  private record Answer(int opcode, DataInputStream body) {}

  private void cqlRequest(int opcode, byte[] body) throws IOException {
    out.writeByte(0x04);
    out.writeByte(0);
    out.writeShort(1);
    out.writeByte(opcode);
    out.writeInt(body.length);
    out.write(body);
    out.flush();
  }

  private DataInputStream expect(int opcode) throws IOException {
    Answer answer = cqlAnswer();
    if (answer.opcode() != opcode) {
      throw new IOException(
          "opcode "
              + answer.opcode()
              + ": "
              + new String(answer.body().readAllBytes(), StandardCharsets.UTF_8));
    }
    return answer.body();
  }

  private Answer cqlAnswer() throws IOException {
    in.readByte();
    in.readByte();
    in.readShort();
    int opcode = in.readByte();
    byte[] body = in.readNBytes(in.readInt());
    return new Answer(opcode, new DataInputStream(new ByteArrayInputStream(body)));
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
