package dev.kvshift.embedded.fork;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Arrays;

/**
 * The launcher in a forked JVM: runs the main class that the first argument names, and halts the
 * JVM as soon as the parent is gone.
 *
 * <p>The parent holds the other end of standard input and never writes to it, so the end of input
 * means that the parent is gone, however it died. The child ignores an interrupt from the terminal,
 * because the parent receives it too and closes its children in order. This class is copied alone
 * onto the child's class path: it uses the JDK and itself only, and has no nested classes.
 */
final class ChildMain {
  private ChildMain() {}

  public static void main(String[] args) throws Exception {
    Thread watch = new Thread(ChildMain::haltWithParent, "parent-watch");
    watch.setDaemon(true);
    watch.start();
    System.setIn(InputStream.nullInputStream());
    ignoreInterrupt();
    Method main = Class.forName(args[0]).getDeclaredMethod("main", String[].class);
    main.setAccessible(true);
    try {
      main.invoke(null, (Object) Arrays.copyOfRange(args, 1, args.length));
    } catch (InvocationTargetException e) {
      e.getCause().printStackTrace();
      System.exit(1);
    }
  }

  private static void haltWithParent() {
    try (InputStream parent = new FileInputStream(FileDescriptor.in)) {
      parent.transferTo(OutputStream.nullOutputStream());
    } catch (IOException e) {
      // An unreadable pipe means the same as its end.
    }
    Runtime.getRuntime().halt(143);
  }

  /** Uses reflection because the compiler warns about every mention of sun.misc. */
  private static void ignoreInterrupt() throws ReflectiveOperationException {
    Class<?> signal = Class.forName("sun.misc.Signal");
    Class<?> handler = Class.forName("sun.misc.SignalHandler");
    Object nothing =
        Proxy.newProxyInstance(
            ChildMain.class.getClassLoader(),
            new Class<?>[] {handler},
            (proxy, method, arguments) -> null);
    signal
        .getMethod("handle", signal, handler)
        .invoke(null, signal.getConstructor(String.class).newInstance("INT"), nothing);
  }
}
