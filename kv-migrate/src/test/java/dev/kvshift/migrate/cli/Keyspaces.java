package dev.kvshift.migrate.cli;

import dev.kvshift.embedded.CassandraNode;

/** Connection strings of keyspaces of the shared node. */
final class Keyspaces {
  private Keyspaces() {}

  /** Returns the string of a keyspace that is created when it is first used and keeps deletes. */
  static String string(String keyspace) {
    CassandraNode node = CassandraNode.shared();
    return "scylla://"
        + node.address()
        + "/"
        + keyspace
        + "?localDatacenter="
        + node.datacenter()
        + "&create=if-missing&replication=1&deletes=kept";
  }
}
