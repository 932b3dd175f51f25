package dev.kvshift.demo;

import dev.kvshift.demo.catalog.CatalogCollection;
import dev.kvshift.demo.catalog.ClassFile;
import dev.kvshift.demo.server.DemoServers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Commands to try while {@code ./kv up} runs, as lines for a shell. Each works as it is printed, in
 * the order of the list: a test runs them all.
 */
final class Suggestions {
  private static final String FILES = CatalogCollection.FILES.toString();
  private static final String PACKAGE_FILES = CatalogCollection.PACKAGE_FILES.toString();
  private static final String CONTINUED = " \\\n    ";

  private final String old;
  private final DemoServers servers;
  private final String config;
  private final List<String> lines = new ArrayList<>();

  private Suggestions(DemoServers servers, Path folder) {
    this.servers = servers;
    this.old = quoted(servers.oldStore());
    this.config = " --config " + quoted(folder.resolve("migration.yaml").toString());
  }

  /**
   * Returns the commands, each with a comment before it.
   *
   * @param shown a class file that the old store holds; null if it is empty
   * @param folder the folder for the configuration of the migration
   */
  static List<String> of(DemoServers servers, @Nullable ClassFile shown, Path folder) {
    Suggestions all = new Suggestions(servers, folder);
    if (shown == null) {
      all.write();
    } else {
      all.look(shown);
    }
    all.migrate();
    return List.copyOf(all.lines);
  }

  private void write() {
    add("what is there", "./kv check " + old + " " + PACKAGE_FILES);
    add(
        "write an entry, and read it",
        "./kv put "
            + old
            + " "
            + PACKAGE_FILES
            + " my.package 'A.class;00ff'"
            + " '{\"size_bytes\":7}'");
    add(null, "./kv get " + old + " " + PACKAGE_FILES + " my.package 'A.class;00ff'");
    add(null, "./kv put " + old + " " + FILES + " 0x00ff '{\"size_bytes\":7}'");
  }

  private void look(ClassFile shown) {
    String main = " " + quoted(shown.packageName());
    String name = shown.name();
    String key = quoted(name + ";" + shown.hash().toHex());
    add("what is there", "./kv check " + old + " " + FILES + " " + PACKAGE_FILES);
    add("one entry", "./kv get " + old + " " + PACKAGE_FILES + main + CONTINUED + key);
    add(
        "the entries of a main key, from one on",
        "./kv range "
            + old
            + " "
            + PACKAGE_FILES
            + main
            + " --from "
            + quoted(name)
            + " --limit 3");
    add("who uses it", "./kv legacy statistics " + old + " " + PACKAGE_FILES);
    add(
        "how to shard it: the sizes of partitions under each rule",
        "./kv advise --from " + old + " --collection " + PACKAGE_FILES);
  }

  private void migrate() {
    add(
        "a migration, phase by phase up to new-primary: nothing is final yet",
        "./kv migrate init --from "
            + quoted(servers.oldStore("runner"))
            + CONTINUED
            + "--to "
            + quoted(servers.newStore())
            + CONTINUED
            + "--kafka "
            + servers.bootstrapServers()
            + config
            + " "
            + FILES
            + " "
            + PACKAGE_FILES);
    add(null, "./kv migrate check" + config);
    add(null, "./kv migrate run --way dual-write" + config + " " + PACKAGE_FILES);
    add(
        "the same entries through both stores",
        "./kv scan " + quoted(servers.newStore()) + " " + PACKAGE_FILES + " --limit 3");
    add(null, "./kv check " + quoted(servers.transition()) + " " + PACKAGE_FILES);
    add("its status page, until Ctrl-C", "./kv migrate monitor" + config);
    add(
        "and back: the old store has every write",
        "./kv migrate rollback" + config + " " + PACKAGE_FILES);
    add(null, "./kv migrate status" + config);
    add(
        "the other collection, handed over in one step",
        "./kv migrate run --cutover" + config + " " + FILES);
    add(
        "and back from there, with what the new store alone has by now; or 'finish', for ever",
        "./kv migrate rollback" + config + " " + FILES);
  }

  private void add(@Nullable String comment, String command) {
    if (comment != null) {
      lines.add("# " + comment);
    }
    lines.add(command);
  }

  /** Returns a word as a shell reads it. */
  private static String quoted(String word) {
    return "'" + word.replace("'", "'\\''") + "'";
  }
}
