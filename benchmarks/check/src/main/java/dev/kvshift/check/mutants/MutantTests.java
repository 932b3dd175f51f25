package dev.kvshift.check.mutants;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * A process that runs test classes or {@code CLASS#METHOD}, with the mutant first on its class
 * path.
 */
final class MutantTests {
  static final int PASSED = 0;
  static final int FAILED = 10;
  static final int NONE = 11;

  private MutantTests() {}

  public static void main(String[] tests) throws ClassNotFoundException {
    List<DiscoverySelector> selectors = new ArrayList<>();
    for (String test : tests) {
      int at = test.indexOf('#');
      if (at < 0) {
        selectors.add(selectClass(test));
      } else {
        selectors.addAll(methods(test.substring(0, at), test.substring(at + 1)));
      }
    }
    First first = new First();
    Launcher launcher = LauncherFactory.create();
    launcher.execute(LauncherDiscoveryRequestBuilder.request().selectors(selectors).build(), first);
    System.exit(first.hasPassed ? PASSED : NONE);
  }

  /** Selects the methods of that name, whatever their parameters are. */
  private static List<DiscoverySelector> methods(String className, String name)
      throws ClassNotFoundException {
    Class<?> type = Class.forName(className);
    List<DiscoverySelector> selectors = new ArrayList<>();
    for (Method method : type.getDeclaredMethods()) {
      if (method.getName().equals(name) && !method.isSynthetic()) {
        selectors.add(selectMethod(type, method));
      }
    }
    return selectors;
  }

  /** Ends the process with the first failure: one is enough. */
  private static final class First implements TestExecutionListener {
    private boolean hasPassed;

    @Override
    public void executionFinished(TestIdentifier test, TestExecutionResult result) {
      if (result.getStatus() == TestExecutionResult.Status.FAILED) {
        System.out.println(test.getDisplayName());
        result.getThrowable().ifPresent(failure -> failure.printStackTrace(System.out));
        System.out.flush();
        Runtime.getRuntime().halt(FAILED);
      }
      hasPassed |= test.isTest();
    }
  }
}
