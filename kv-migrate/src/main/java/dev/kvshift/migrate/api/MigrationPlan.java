package dev.kvshift.migrate.api;

import dev.kvshift.api.Layout;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Store;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The plan of a migration: which collection moves, from where, to where. Immutable. The stores
 * belong to the caller, who closes them after the migration.
 *
 * <pre>{@code
 * MigrationPlan.builder("files", layout)
 *     .source(legacy)
 *     .target(scylla)
 *     .bootstrapServers("broker-1:9092")
 *     .build();
 * }</pre>
 */
public final class MigrationPlan {
  private final String collection;
  private final Layout layout;
  private final Store source;
  private final Store target;
  private final @Nullable Supplier<Store> copyFrom;
  private final String bootstrapServers;
  private final KafkaProperties kafkaProperties;
  private final MigrationOptions options;

  private MigrationPlan(Builder builder) {
    collection = builder.collection;
    layout = builder.layout;
    source = Objects.requireNonNull(builder.source, "source");
    target = Objects.requireNonNull(builder.target, "target");
    copyFrom = builder.copyFrom;
    bootstrapServers = Objects.requireNonNull(builder.bootstrapServers, "bootstrapServers");
    kafkaProperties = builder.kafkaProperties;
    options = builder.options;
  }

  /**
   * Begins a plan.
   *
   * @param collection the collection's name, the same in both stores
   * @param layout the collection's layout on the target
   * @throws dev.kvshift.api.KvException.Permanent if the name is malformed
   */
  public static Builder builder(String collection, Layout layout) {
    return new Builder(collection, layout);
  }

  /** Returns a builder with this plan's values. */
  public Builder toBuilder() {
    Builder builder =
        new Builder(collection, layout)
            .source(source)
            .target(target)
            .bootstrapServers(bootstrapServers)
            .kafkaProperties(kafkaProperties)
            .options(options);
    return copyFrom == null ? builder : builder.copyFrom(copyFrom);
  }

  /** Returns the collection's name, the same in both stores. */
  public String collection() {
    return collection;
  }

  /** Returns the collection's layout on the target. */
  public Layout layout() {
    return layout;
  }

  /** Returns the store that the collection leaves. */
  public Store source() {
    return source;
  }

  /** Returns the store that the collection moves to. */
  public Store target() {
    return target;
  }

  /** Returns what opens the snapshot that the copy reads; null if it reads the source. */
  public @Nullable Supplier<Store> copyFrom() {
    return copyFrom;
  }

  /** Returns the addresses of the broker. */
  public String bootstrapServers() {
    return bootstrapServers;
  }

  /** Returns the properties of the connection to the broker. */
  public KafkaProperties kafkaProperties() {
    return kafkaProperties;
  }

  /** Returns limits and times. */
  public MigrationOptions options() {
    return options;
  }

  /** Builds a plan. Source, target and bootstrap servers are required. */
  public static final class Builder {
    private final String collection;
    private final Layout layout;
    private @Nullable Store source;
    private @Nullable Store target;
    private @Nullable Supplier<Store> copyFrom;
    private @Nullable String bootstrapServers;
    private KafkaProperties kafkaProperties = KafkaProperties.NONE;
    private MigrationOptions options = MigrationOptions.defaults();

    private Builder(String collection, Layout layout) {
      this.collection = CollectionRecord.requireName(collection);
      this.layout = Objects.requireNonNull(layout, "layout");
    }

    /**
     * Sets the store that the collection leaves. It has {@code CHANGE_SOURCE}, {@code GATE}, {@code
     * FENCING} and {@code SCAN}.
     */
    public Builder source(Store value) {
      source = Objects.requireNonNull(value);
      return this;
    }

    /**
     * Sets the store that the collection moves to. It has {@code VERSIONED_WRITES}, {@code SCAN}
     * and {@code METADATA}, and is sharded if it does not cope with large main keys.
     */
    public Builder target(Store value) {
      target = Objects.requireNonNull(value);
      return this;
    }

    /**
     * Sets what opens a snapshot of the source, which the copy then scans in place of the source:
     * another server of a copied folder. It is taken after the migration was prepared, and has
     * {@code CHANGE_SOURCE} and {@code SCAN}. Each part of the copy opens it, proves by its change
     * log that it is such a snapshot, and closes it. Default: the copy scans the source.
     */
    public Builder copyFrom(Supplier<Store> value) {
      copyFrom = Objects.requireNonNull(value);
      return this;
    }

    /** Sets the addresses of the broker, as {@code HOST:PORT,…}. */
    public Builder bootstrapServers(String value) {
      bootstrapServers = Objects.requireNonNull(value);
      return this;
    }

    /** Sets how to connect to the broker; default {@link KafkaProperties#NONE}. */
    public Builder kafkaProperties(KafkaProperties value) {
      kafkaProperties = Objects.requireNonNull(value);
      return this;
    }

    /** Sets limits and times; default {@link MigrationOptions#defaults()}. */
    public Builder options(MigrationOptions value) {
      options = Objects.requireNonNull(value);
      return this;
    }

    /**
     * Returns the plan.
     *
     * @throws NullPointerException if source, target or bootstrap servers are not set
     */
    public MigrationPlan build() {
      return new MigrationPlan(this);
    }
  }
}
