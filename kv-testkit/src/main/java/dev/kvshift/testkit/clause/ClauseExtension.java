package dev.kvshift.testkit.clause;

import dev.kvshift.api.Capability;
import dev.kvshift.testkit.clause.ClauseCounts.Ending;
import dev.kvshift.testkit.fixture.StoreFixture;
import dev.kvshift.testkit.fixture.UseFixture;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Method;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ExtensionConfigurationException;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;
import org.junit.jupiter.api.extension.TestInstancePostProcessor;
import org.junit.jupiter.api.extension.TestWatcher;

/** Gives each clause its store, and replaces cases that need a missing capability by refusals. */
final class ClauseExtension
    implements TestInstancePostProcessor, InvocationInterceptor, TestWatcher {
  private static final Namespace NAMESPACE = Namespace.create(ClauseExtension.class);

  @Override
  public void postProcessTestInstance(Object instance, ExtensionContext context) {
    Class<? extends StoreFixture> type = fixtureType(context);
    ((Clause) instance)
        .use(
            naming(context)
                .orElseGet(context::getRoot)
                .getStore(NAMESPACE)
                .getOrComputeIfAbsent(
                    type, added -> new StoreUnderTest(make(type)), StoreUnderTest.class));
  }

  @Override
  public void testSuccessful(ExtensionContext context) {
    boolean refused = context.getStore(NAMESPACE).get(Ending.REFUSED) != null;
    count(context, refused ? Ending.REFUSED : Ending.TESTED);
  }

  @Override
  public void testFailed(ExtensionContext context, @Nullable Throwable cause) {
    count(context, Ending.FAILED);
  }

  @Override
  public void testAborted(ExtensionContext context, @Nullable Throwable cause) {
    count(context, Ending.SKIPPED);
  }

  @Override
  public void testDisabled(ExtensionContext context, Optional<String> reason) {
    count(context, Ending.SKIPPED);
  }

  private static void count(ExtensionContext context, Ending ending) {
    StoreUnderTest tested =
        context.getStore(NAMESPACE).get(fixtureType(context), StoreUnderTest.class);
    if (tested != null) {
      tested.counts.add(context.getRequiredTestClass(), ending);
    }
  }

  @Override
  public void interceptTestMethod(
      Invocation<@Nullable Void> invocation,
      ReflectiveInvocationContext<Method> called,
      ExtensionContext context)
      throws Throwable {
    intercept(invocation, called, context);
  }

  @Override
  public void interceptTestTemplateMethod(
      Invocation<@Nullable Void> invocation,
      ReflectiveInvocationContext<Method> called,
      ExtensionContext context)
      throws Throwable {
    intercept(invocation, called, context);
  }

  private static void intercept(
      Invocation<@Nullable Void> invocation,
      ReflectiveInvocationContext<Method> called,
      ExtensionContext context)
      throws Throwable {
    Clause clause = (Clause) context.getRequiredTestInstance();
    Capability missing = missing(clause, context.getRequiredTestClass());
    if (missing == null) {
      missing = missing(clause, called.getExecutable());
    }
    if (missing == null) {
      invocation.proceed();
    } else {
      invocation.skip();
      context.getStore(NAMESPACE).put(Ending.REFUSED, missing);
      clause.assertRefused(missing);
    }
  }

  private static @Nullable Capability missing(Clause clause, AnnotatedElement element) {
    Needs needs = element.getAnnotation(Needs.class);
    if (needs != null) {
      for (Capability capability : List.of(needs.value())) {
        if (!clause.has(capability)) {
          return capability;
        }
      }
    }
    return null;
  }

  /** Returns the context of the class that names the fixture: its own, or one around it. */
  private static Optional<ExtensionContext> naming(ExtensionContext context) {
    Optional<ExtensionContext> each = Optional.of(context);
    while (each.isPresent() && annotation(each.get()).isEmpty()) {
      each = each.get().getParent();
    }
    return each;
  }

  private static Optional<UseFixture> annotation(ExtensionContext context) {
    return context.getTestClass().map(type -> type.getAnnotation(UseFixture.class));
  }

  private static Class<? extends StoreFixture> fixtureType(ExtensionContext context) {
    return naming(context)
        .flatMap(ClauseExtension::annotation)
        .orElseThrow(
            () ->
                new ExtensionConfigurationException(
                    context.getRequiredTestClass() + " names no fixture: add @UseFixture"))
        .value();
  }

  private static StoreFixture make(Class<? extends StoreFixture> type) {
    try {
      return type.getConstructor().newInstance();
    } catch (ReflectiveOperationException e) {
      throw new ExtensionConfigurationException(
          type + " cannot be created: give it a public constructor without parameters", e);
    }
  }
}
