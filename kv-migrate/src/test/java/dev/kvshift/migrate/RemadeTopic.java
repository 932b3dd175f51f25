package dev.kvshift.migrate;

import static dev.kvshift.testkit.concurrent.Await.until;

import dev.kvshift.embedded.KafkaBroker;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/** A topic that somebody deletes, and creates again under its name. */
final class RemadeTopic {
  private RemadeTopic() {}

  /**
   * Deletes a topic of the shared broker and creates it again. Ends once the broker shows the new
   * one: for a moment it still shows none, or the old one.
   */
  static void remake(String topic, int partitions) throws Exception {
    try (Admin admin =
        Admin.create(Map.of("bootstrap.servers", KafkaBroker.shared().bootstrapServers()))) {
      Uuid former = id(admin, topic);
      admin.deleteTopics(List.of(topic)).all().get();
      until("the topic can be created again", () -> create(admin, topic, partitions));
      until("the broker shows the new topic", () -> isShown(admin, topic, former));
    }
  }

  private static boolean create(Admin admin, String topic, int partitions) {
    NewTopic again = new NewTopic(topic, Optional.of(partitions), Optional.empty());
    try {
      admin.createTopics(List.of(again)).all().get();
      return true;
    } catch (ExecutionException e) {
      return false; // the old one is not gone yet
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static boolean isShown(Admin admin, String topic, @Nullable Uuid former) {
    Uuid found = id(admin, topic);
    return found != null && !found.equals(former);
  }

  private static @Nullable Uuid id(Admin admin, String topic) {
    try {
      return admin.describeTopics(List.of(topic)).topicNameValues().get(topic).get().topicId();
    } catch (ExecutionException e) {
      return null;
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
