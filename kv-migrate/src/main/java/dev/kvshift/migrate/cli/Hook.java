package dev.kvshift.migrate.cli;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.internal.ledger.Members;
import dev.kvshift.spi.Phase;
import dev.kvshift.transition.Coordinator;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * The hook that a person gives: a command of the shell, or an address to which a JSON object is
 * posted. Neither is part of an error, because both may contain secrets.
 */
final class Hook {
  private static final Duration LIMIT = Duration.ofMinutes(1);
  private static final int SUCCESSES = 200;
  private static final int REDIRECTS = 300;

  private final String hook;

  /** Creates the hook that a member of the configuration names. */
  Hook(String hook) {
    this.hook = hook;
  }

  /** Returns the hook of a collection's steps. */
  Coordinator.Hook of(String collection) {
    return new Called(collection, hook);
  }

  private record Called(String collection, String hook) implements Coordinator.Hook {
    @Override
    public void before(Phase from, Phase to) {
      call("before", from, to);
    }

    @Override
    public void after(Phase from, Phase to) {
      call("after", from, to);
    }

    private void call(String event, Phase from, Phase to) {
      String what = "the hook " + event + " the step from " + from.word() + " to " + to.word();
      try {
        if (hook.startsWith("http://") || hook.startsWith("https://")) {
          post(what, event, from, to);
        } else {
          run(what, event, from, to);
        }
      } catch (IOException e) {
        throw new KvException.Transient(
            what
                + " could not be called ("
                + e.getClass().getSimpleName()
                + "): check the member 'hook' of the configuration");
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new KvException.Transient(what + " was interrupted: start again");
      }
    }

    private void run(String what, String event, Phase from, Phase to)
        throws IOException, InterruptedException {
      ProcessBuilder builder =
          new ProcessBuilder("/bin/sh", "-c", hook)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .redirectError(ProcessBuilder.Redirect.DISCARD);
      builder
          .environment()
          .putAll(
              Map.of(
                  "KVSHIFT_EVENT",
                  event,
                  "KVSHIFT_COLLECTION",
                  collection,
                  "KVSHIFT_FROM",
                  from.word(),
                  "KVSHIFT_TO",
                  to.word()));
      Process process = builder.start();
      try {
        process.getOutputStream().close();
        if (!process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
          throw refused(what, "has not ended after " + LIMIT.toSeconds() + " s");
        }
        if (process.exitValue() != 0) {
          throw refused(what, "ended with status " + process.exitValue());
        }
      } finally {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
      }
    }

    private void post(String what, String event, Phase from, Phase to)
        throws IOException, InterruptedException {
      String body =
          new Members()
              .with("event", event)
              .with("collection", collection)
              .with("from", from.word())
              .with("to", to.word())
              .toString();
      HttpRequest request =
          HttpRequest.newBuilder(address())
              .timeout(LIMIT)
              .header("Content-Type", "application/json")
              .POST(HttpRequest.BodyPublishers.ofString(body))
              .build();
      HttpResponse<InputStream> answer =
          HttpClient.newBuilder()
              .connectTimeout(LIMIT)
              .build()
              .send(request, HttpResponse.BodyHandlers.ofInputStream());
      answer.body().close();
      if (answer.statusCode() < SUCCESSES || answer.statusCode() >= REDIRECTS) {
        throw refused(what, "was answered with status " + answer.statusCode());
      }
    }

    private URI address() {
      try {
        return URI.create(hook);
      } catch (IllegalArgumentException e) {
        throw new KvException.Permanent("the address of the member 'hook' is no URI: correct it");
      }
    }

    private static KvException refused(String what, String how) {
      return new KvException.Transient(what + " " + how + ": see what it reports, and start again");
    }
  }
}
