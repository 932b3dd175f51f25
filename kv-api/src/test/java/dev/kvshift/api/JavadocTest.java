package dev.kvshift.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.ModifiersTree;
import com.sun.source.tree.Tree;
import com.sun.source.tree.VariableTree;
import com.sun.source.util.DocTrees;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePath;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.lang.model.element.Modifier;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;

/** Everything that is public says what it is. */
final class JavadocTest {
  private final List<String> missing = new ArrayList<>();
  private int found;

  @Test
  void publicTypesAndMembers_allOfThem_areDocumented() throws IOException {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null);
        Stream<Path> sources = Files.walk(Path.of("src/main/java"))) {
      JavacTask task =
          (JavacTask)
              compiler.getTask(
                  null,
                  files,
                  null,
                  null,
                  null,
                  files.getJavaFileObjectsFromPaths(
                      sources.filter(each -> each.toString().endsWith(".java")).toList()));
      DocTrees docs = DocTrees.instance(task);
      for (CompilationUnitTree unit : task.parse()) {
        TreePath path = new TreePath(unit);
        for (Tree type : unit.getTypeDecls()) {
          if (type instanceof ClassTree declared) {
            check(docs, new TreePath(path, declared), false);
          }
        }
      }
    }
    assertThat(missing).isEmpty();
    assertThat(found).isGreaterThan(250);
  }

  /** Members of interfaces are public without saying so. */
  private void check(DocTrees docs, TreePath path, boolean within) {
    ClassTree type = (ClassTree) path.getLeaf();
    if (!isShown(within, type.getModifiers())) {
      return;
    }
    require(docs, path, type.getSimpleName().toString());
    boolean open = type.getKind() == Tree.Kind.INTERFACE;
    for (Tree member : type.getMembers()) {
      TreePath inner = new TreePath(path, member);
      if (member instanceof ClassTree) {
        check(docs, inner, open);
      } else if (member instanceof MethodTree method) {
        if (isShown(open, method.getModifiers()) && !isGiven(type, method)) {
          require(docs, inner, type.getSimpleName() + "." + method.getName());
        }
      } else if (member instanceof VariableTree field
          && isShown(open, field.getModifiers())
          && !isComponent(type, field)) {
        require(docs, inner, type.getSimpleName() + "." + field.getName());
      }
    }
  }

  private void require(DocTrees docs, TreePath path, String name) {
    String comment = docs.getDocComment(path);
    if (comment == null || comment.isBlank()) {
      missing.add(name);
    } else {
      found++;
    }
  }

  private static boolean isShown(boolean open, ModifiersTree modifiers) {
    return (open && !modifiers.getFlags().contains(Modifier.PRIVATE))
        || modifiers.getFlags().contains(Modifier.PUBLIC)
        || modifiers.getFlags().contains(Modifier.PROTECTED);
  }

  /** An override says what it overrides, a record's constructor what the record does. */
  private static boolean isGiven(ClassTree type, MethodTree method) {
    return method.getModifiers().getAnnotations().stream()
            .anyMatch(each -> each.getAnnotationType().toString().equals("Override"))
        || (type.getKind() == Tree.Kind.RECORD && method.getReturnType() == null);
  }

  private static boolean isComponent(ClassTree type, VariableTree field) {
    return type.getKind() == Tree.Kind.RECORD
        && !field.getModifiers().getFlags().contains(Modifier.STATIC);
  }
}
