package dev.kvshift.embedded;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;

/** A parent to be killed: starts two servers, pauses one, prints their ids and waits for ever. */
final class ParentMain {
  private ParentMain() {}

  public static void main(String[] args) throws IOException {
    KafkaBroker broker = KafkaBroker.start();
    CassandraNode node = CassandraNode.start();
    broker.pause();
    PrintStream out = System.out;
    out.println(broker.process().pid() + " " + node.process().pid());
    out.flush();
    System.in.transferTo(OutputStream.nullOutputStream());
  }
}
