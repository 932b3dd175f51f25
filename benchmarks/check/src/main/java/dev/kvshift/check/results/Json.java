package dev.kvshift.check.results;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** JSON objects in files. */
public final class Json {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final String SUFFIX = ".json";

  private Json() {}

  /** Writes an object on one line. */
  public static void write(Path file, ObjectNode object) throws IOException {
    Files.writeString(file, object + "\n");
  }

  /** Reads all {@code NAME.json} of a folder, ordered by NAME. */
  static Map<String, ObjectNode> readFolder(Path folder) throws IOException {
    Map<String, ObjectNode> objects = new TreeMap<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        String name = file.getFileName().toString();
        if (name.endsWith(SUFFIX)) {
          objects.put(name.substring(0, name.length() - SUFFIX.length()), read(file));
        }
      }
    }
    return objects;
  }

  private static ObjectNode read(Path file) throws IOException {
    JsonNode read = MAPPER.readTree(file.toFile());
    if (read instanceof ObjectNode object) {
      return object;
    }
    throw new IOException(file + " holds no JSON object: see the test that writes it");
  }
}
