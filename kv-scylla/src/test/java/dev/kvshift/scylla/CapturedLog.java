package dev.kvshift.scylla;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.AppenderBase;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.slf4j.LoggerFactory;

/** Captures everything that is logged until closed, at every level and with exceptions. */
public final class CapturedLog implements AutoCloseable {
  private final Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
  private final Level level = root.getLevel();
  private final List<Appender<ILoggingEvent>> silenced = new ArrayList<>();
  private final ConcurrentLinkedQueue<String> lines = new ConcurrentLinkedQueue<>();
  private final Appender<ILoggingEvent> all =
      new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
          String thrown =
              event.getThrowableProxy() == null
                  ? ""
                  : "\n" + ThrowableProxyUtil.asString(event.getThrowableProxy());
          lines.add(event.getLevel() + " " + event.getFormattedMessage() + thrown);
        }
      };

  public CapturedLog() {
    for (Iterator<Appender<ILoggingEvent>> each = root.iteratorForAppenders(); each.hasNext(); ) {
      silenced.add(each.next());
    }
    silenced.forEach(root::detachAppender);
    all.setContext(root.getLoggerContext());
    all.start();
    root.addAppender(all);
    root.setLevel(Level.TRACE);
  }

  public List<String> lines() {
    return List.copyOf(lines);
  }

  @Override
  public void close() {
    root.setLevel(level);
    root.detachAppender(all);
    silenced.forEach(root::addAppender);
  }
}
