package dev.kvshift.embedded;

/** The logging of Cassandra and Kafka: to standard output, whose log file is bounded. */
final class ServerLogback {
  static final String XML =
      """
      <configuration>
        <appender name="out" class="ch.qos.logback.core.ConsoleAppender">
          <encoder>
            <pattern>%d{ISO8601} %-5level %logger{0} %msg%n</pattern>
          </encoder>
        </appender>
        <root level="INFO">
          <appender-ref ref="out"/>
        </root>
      </configuration>
      """;

  private ServerLogback() {}
}
