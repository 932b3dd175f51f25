package dev.kvshift.migrate.cli;

import dev.kvshift.api.KvException;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;

/**
 * A mapping of a YAML file, read member by member. Every error names the file and the line. Values
 * are never printed in errors of unknown members, because they may be secrets. {@link #end} refuses
 * members that nobody has read, so that a misspelt name is not ignored.
 */
final class YamlMap {
  private final Path file;
  private final int line;
  private final Map<String, Node> members = new LinkedHashMap<>();
  private final Map<String, Integer> lines = new LinkedHashMap<>();
  private final Set<String> read = new TreeSet<>();

  private YamlMap(Path file, MappingNode node) {
    this.file = file;
    this.line = line(node);
    for (NodeTuple member : node.getValue()) {
      if (!(member.getKeyNode() instanceof ScalarNode name)) {
        throw wrong(line(member.getKeyNode()), "a name is expected");
      }
      if (members.put(name.getValue(), member.getValueNode()) != null) {
        throw wrong(line(name), "'" + name.getValue() + "' is there twice: leave one out");
      }
      lines.put(name.getValue(), line(name));
    }
  }

  /**
   * Reads a file.
   *
   * @throws KvException.Permanent if it cannot be read, or is no YAML mapping
   */
  static YamlMap read(Path file) {
    try (Reader reader = Files.newBufferedReader(file)) {
      Node root = new Yaml(new LoaderOptions()).compose(reader);
      if (root instanceof MappingNode mapping) {
        return new YamlMap(file, mapping);
      }
      throw wrong(file, 1, "a mapping is expected, such as 'source: STRING'");
    } catch (IOException e) {
      throw new KvException.Permanent(
          "the configuration " + file + " cannot be read: " + e + ": give another file", e);
    } catch (MarkedYAMLException e) {
      int at = e.getProblemMark() == null ? 1 : e.getProblemMark().getLine() + 1;
      throw wrong(file, at, "this is no YAML: " + e.getProblem());
    }
  }

  /** Returns whether there is a member. */
  boolean has(String name) {
    return members.containsKey(name);
  }

  /** Returns the text of a member that must be there. */
  String text(String name) {
    String text = textOrNull(name);
    if (text == null) {
      throw wrong(line, "'" + name + "' is missing: give one");
    }
    return text;
  }

  /** Returns the text of a member, or null if it is not there. */
  @Nullable String textOrNull(String name) {
    read.add(name);
    Node node = members.get(name);
    if (node == null) {
      return null;
    }
    if (node instanceof ScalarNode scalar && !scalar.getValue().isEmpty()) {
      return scalar.getValue();
    }
    throw wrong(name, "'" + name + "' is not a text");
  }

  /** Passes a member that is there to a consumer, parsed; its errors get the member's line. */
  <T> void apply(String name, Function<String, T> parse, Consumer<T> consumer) {
    String text = textOrNull(name);
    if (text != null) {
      try {
        consumer.accept(parse.apply(text));
      } catch (NumberFormatException e) {
        throw wrong(name, "'" + name + "' is not a whole number: " + text);
      } catch (KvException | IllegalArgumentException e) {
        throw wrong(name, e.getMessage());
      }
    }
  }

  /** Returns a member that is a mapping; null if it is not there. */
  @Nullable YamlMap map(String name) {
    read.add(name);
    Node node = members.get(name);
    if (node == null) {
      return null;
    }
    if (node instanceof MappingNode mapping) {
      return new YamlMap(file, mapping);
    }
    throw wrong(name, "'" + name + "' is not a mapping");
  }

  /** Returns a member that is a list of mappings; empty if it is not there. */
  List<YamlMap> maps(String name) {
    read.add(name);
    Node node = members.get(name);
    if (node == null) {
      return List.of();
    }
    if (!(node instanceof SequenceNode sequence)) {
      throw wrong(name, "'" + name + "' is not a list");
    }
    List<YamlMap> maps = new ArrayList<>();
    for (Node item : sequence.getValue()) {
      if (!(item instanceof MappingNode mapping)) {
        throw wrong(line(item), "an item of '" + name + "' is not a mapping");
      }
      maps.add(new YamlMap(file, mapping));
    }
    return maps;
  }

  /** Returns a member that is a list of texts; empty if it is not there. */
  List<String> texts(String name) {
    read.add(name);
    Node node = members.get(name);
    if (node == null) {
      return List.of();
    }
    List<String> texts = new ArrayList<>();
    if (node instanceof SequenceNode sequence) {
      for (Node item : sequence.getValue()) {
        if (!(item instanceof ScalarNode scalar) || scalar.getValue().isEmpty()) {
          throw wrong(line(item), "an item of '" + name + "' is not a text");
        }
        texts.add(scalar.getValue());
      }
      return texts;
    }
    throw wrong(name, "'" + name + "' is not a list");
  }

  /**
   * Refuses members that were not read.
   *
   * @throws KvException.Permanent naming the first of them
   */
  void end() {
    for (Map.Entry<String, Integer> member : lines.entrySet()) {
      if (!read.contains(member.getKey())) {
        throw wrong(
            member.getValue(),
            "'" + member.getKey() + "' is unknown here: give one of " + String.join(", ", read));
      }
    }
  }

  /** Returns the error of a member. */
  KvException.Permanent wrong(String name, @Nullable String what) {
    return wrong(lines.getOrDefault(name, line), String.valueOf(what));
  }

  private KvException.Permanent wrong(int at, String what) {
    return wrong(file, at, what);
  }

  private static KvException.Permanent wrong(Path file, int at, String what) {
    return new KvException.Permanent(file.getFileName() + ", line " + at + ": " + what);
  }

  private static int line(Node node) {
    return node.getStartMark().getLine() + 1;
  }
}
