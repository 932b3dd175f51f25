package dev.kvshift.examples;

import com.sun.net.httpserver.HttpExchange;
import dev.kvshift.api.KvException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** The answer to an HTTP request. */
record Answer(int status, String contentType, String body) {
  static final int OK = 200;
  static final int NO_CONTENT = 204;
  static final int BAD_REQUEST = 400;
  static final int NOT_FOUND = 404;
  static final int INTERNAL = 500;
  static final int NOT_IMPLEMENTED = 501;
  static final int UNAVAILABLE = 503;
  static final int UNKNOWN_OUTCOME = 504;

  private static final String TEXT = "text/plain; charset=utf-8";
  private static final String JSON = "application/json";
  private static final int NO_BODY = -1;

  static Answer text(int status, String text) {
    return new Answer(status, TEXT, text + "\n");
  }

  static Answer json(String body) {
    return new Answer(OK, JSON, body);
  }

  static Answer noContent() {
    return new Answer(NO_CONTENT, TEXT, "");
  }

  /**
   * Returns the answer to a request whose store operation has failed. A caller may retry 503, since
   * nothing was applied; after 504 the write may have been, and may still be.
   */
  static Answer failed(KvException error) {
    return text(status(error), String.valueOf(error.getMessage()));
  }

  private static int status(KvException error) {
    if (error instanceof KvException.InvalidArgument) {
      return BAD_REQUEST;
    } else if (error instanceof KvException.UnsupportedCapability) {
      return NOT_IMPLEMENTED;
    } else if (error.isRetryable()) {
      return UNAVAILABLE;
    }
    return error.mayHaveBeenApplied() ? UNKNOWN_OUTCOME : INTERNAL;
  }

  void send(HttpExchange exchange) throws IOException {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", contentType);
    exchange.sendResponseHeaders(status, bytes.length == 0 ? NO_BODY : bytes.length);
    if (bytes.length > 0) {
      exchange.getResponseBody().write(bytes);
    }
  }
}
