package dev.kvshift.testkit;

import dev.kvshift.api.Capability;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Method;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ExtensionConfigurationException;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;
import org.junit.jupiter.api.extension.TestInstancePostProcessor;

/** Hands a clause its rig, and turns cases about what a store leaves out into refusals. */
final class ClauseExtension implements TestInstancePostProcessor, InvocationInterceptor {
  /** Names the fixture's class for clauses that carry no {@link UseFixture}. */
  static final String FIXTURE_PARAMETER = "dev.kvshift.testkit.fixture";

  private static final Namespace NAMESPACE = Namespace.create(ClauseExtension.class);

  @Override
  public void postProcessTestInstance(Object instance, ExtensionContext context) {
    Class<? extends StoreFixture> type = fixtureType(context);
    ((Clause) instance)
        .use(
            context
                .getRoot()
                .getStore(NAMESPACE)
                .getOrComputeIfAbsent(type, added -> new Rig(make(type)), Rig.class));
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

  private static Class<? extends StoreFixture> fixtureType(ExtensionContext context) {
    UseFixture annotation = context.getRequiredTestClass().getAnnotation(UseFixture.class);
    if (annotation != null) {
      return annotation.value();
    }
    String name =
        context
            .getConfigurationParameter(FIXTURE_PARAMETER)
            .orElseThrow(
                () ->
                    new ExtensionConfigurationException(
                        context.getRequiredTestClass() + " names no fixture: add @UseFixture"));
    try {
      return Class.forName(name).asSubclass(StoreFixture.class);
    } catch (ClassNotFoundException e) {
      throw new ExtensionConfigurationException("no fixture " + name, e);
    }
  }

  private static StoreFixture make(Class<? extends StoreFixture> type) {
    try {
      return type.getConstructor().newInstance();
    } catch (ReflectiveOperationException e) {
      throw new ExtensionConfigurationException(
          type + " cannot be made: give it a public constructor without parameters", e);
    }
  }
}
