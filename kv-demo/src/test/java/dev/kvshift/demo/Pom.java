package dev.kvshift.demo;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.xml.sax.SAXException;

/** A module's pom as it is written, without what it inherits. */
record Pom(Element project) {
  private static final Path ROOT = Path.of(System.getProperty("kvshift.root"));

  /** Reads the pom of a module, which is named by its folder; "." is the parent of all. */
  static Pom of(String module) {
    Path file = ROOT.resolve(module).resolve("pom.xml");
    try {
      return new Pom(
          DocumentBuilderFactory.newDefaultInstance()
              .newDocumentBuilder()
              .parse(file.toFile())
              .getDocumentElement());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (ParserConfigurationException | SAXException e) {
      throw new IllegalStateException(file + " is no pom", e);
    }
  }

  String artifact() {
    return text("artifactId").orElseThrow();
  }

  /** Returns the text of the first element with this path, if it has any. */
  Optional<String> text(String... path) {
    return texts(path).stream().findFirst().filter(text -> !text.isBlank());
  }

  /** Returns the texts of all elements with this path. */
  List<String> texts(String... path) {
    return children(project, path).stream().map(Element::getTextContent).toList();
  }

  /** Returns the project's modules that the pom declares in one of the scopes. */
  List<String> declaredModules(Set<String> scopes) {
    List<String> declared = new ArrayList<>();
    for (Element dependency : children(project, "dependencies", "dependency")) {
      List<Element> scope = children(dependency, "scope");
      boolean counts = scopes.contains(scope.isEmpty() ? "compile" : scope.get(0).getTextContent());
      String group = children(dependency, "groupId").get(0).getTextContent();
      if (counts && group.equals("dev.kvshift")) {
        declared.add(children(dependency, "artifactId").get(0).getTextContent());
      }
    }
    return declared;
  }

  private static List<Element> children(Element parent, String... path) {
    List<Element> found = List.of(parent);
    for (String name : path) {
      List<Element> next = new ArrayList<>();
      for (Element element : found) {
        for (Node node = element.getFirstChild(); node != null; node = node.getNextSibling()) {
          if (node instanceof Element child && child.getTagName().equals(name)) {
            next.add(child);
          }
        }
      }
      found = next;
    }
    return found;
  }
}
