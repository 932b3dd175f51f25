package dev.kvshift.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.KvStore;
import java.io.IOException;
import java.lang.reflect.AnnotatedType;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.RecordComponent;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Compares what is public with the checked-in {@code public-api.txt}. A change of the contract is
 * made on purpose: run the test with {@code -Dkvshift.api.update=true} and commit the file with it.
 */
final class PublicApiTest {
  private static final Path FILE = Path.of("public-api.txt");
  private static final String HOW =
      "What kv-api shows. To change it on purpose: mvn test -pl kv-api -Dtest=PublicApiTest"
          + " -Dkvshift.api.update=true";

  @Test
  void publicTypes_areThoseOfTheSignatureFile()
      throws IOException, URISyntaxException, ClassNotFoundException {
    List<String> lines = new ArrayList<>(List.of(HOW));
    for (Class<?> type : publicTypes()) {
      lines.add("");
      lines.addAll(describe(type));
    }
    if (Boolean.getBoolean("kvshift.api.update")) {
      Files.write(FILE, lines);
    }
    assertThat(lines).as(HOW).isEqualTo(Files.readAllLines(FILE));
  }

  private static List<Class<?>> publicTypes()
      throws IOException, URISyntaxException, ClassNotFoundException {
    Path classes =
        Path.of(KvStore.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    TreeMap<String, Class<?>> types = new TreeMap<>();
    try (Stream<Path> files = Files.walk(classes)) {
      for (Path file : files.filter(each -> each.toString().endsWith(".class")).toList()) {
        String name = classes.relativize(file).toString().replace('/', '.').replace('\\', '.');
        if (name.endsWith("package-info.class")) {
          continue;
        }
        Class<?> type = Class.forName(name.substring(0, name.length() - ".class".length()));
        if (isVisible(type)) {
          types.put(type.getName(), type);
        }
      }
    }
    return new ArrayList<>(types.values());
  }

  private static boolean isVisible(Class<?> type) {
    return type.getCanonicalName() != null
        && Modifier.isPublic(type.getModifiers())
        && (type.getEnclosingClass() == null || isVisible(type.getEnclosingClass()));
  }

  private static List<String> describe(Class<?> type) {
    StringBuilder head = new StringBuilder(type.toGenericString());
    if (type.getSuperclass() != null && type.getSuperclass() != Object.class) {
      head.append(" extends ").append(type.getGenericSuperclass().getTypeName());
    }
    if (type.getInterfaces().length > 0) {
      head.append(" implements ").append(joined(type.getAnnotatedInterfaces()));
    }
    if (type.isSealed()) {
      head.append(" permits ")
          .append(
              Arrays.stream(type.getPermittedSubclasses())
                  .map(Class::getName)
                  .sorted()
                  .collect(Collectors.joining(", ")));
    }
    List<String> members = new ArrayList<>();
    if (type.isRecord()) {
      for (RecordComponent component : type.getRecordComponents()) {
        members.add("  component " + component.getAnnotatedType() + " " + component.getName());
      }
    }
    for (Field field : type.getDeclaredFields()) {
      if (isShown(field.getModifiers())) {
        members.add(
            "  "
                + Modifier.toString(field.getModifiers())
                + " "
                + field.getAnnotatedType()
                + " "
                + field.getName());
      }
    }
    List<String> sorted = new ArrayList<>();
    for (Constructor<?> constructor : type.getDeclaredConstructors()) {
      if (isShown(constructor.getModifiers()) && !constructor.isSynthetic()) {
        sorted.add("  " + signature(constructor, "new"));
      }
    }
    for (Method method : type.getDeclaredMethods()) {
      if (isShown(method.getModifiers()) && !method.isSynthetic()) {
        sorted.add(
            "  " + signature(method, method.getAnnotatedReturnType() + " " + method.getName()));
      }
    }
    Collections.sort(sorted);
    List<String> lines = new ArrayList<>(List.of(head.toString()));
    lines.addAll(members);
    lines.addAll(sorted);
    return lines.stream().map(PublicApiTest::shortened).toList();
  }

  private static String signature(Executable executable, String name) {
    return Modifier.toString(
            executable.getModifiers() & (Modifier.methodModifiers() & ~Modifier.SYNCHRONIZED))
        + " "
        + name
        + "("
        + joined(executable.getAnnotatedParameterTypes())
        + ")";
  }

  private static String joined(AnnotatedType[] types) {
    return Arrays.stream(types).map(Object::toString).collect(Collectors.joining(", "));
  }

  private static boolean isShown(int modifiers) {
    return Modifier.isPublic(modifiers) || Modifier.isProtected(modifiers);
  }

  private static String shortened(String line) {
    return line.replace("@org.jspecify.annotations.Nullable()", "@Nullable")
        .replace("@org.jspecify.annotations.Nullable", "@Nullable")
        .replace("java.lang.", "")
        .replace("java.util.", "")
        .replace("concurrent.CompletionStage", "CompletionStage")
        .replace("dev.kvshift.api.", "")
        .replace("java.time.", "");
  }
}
