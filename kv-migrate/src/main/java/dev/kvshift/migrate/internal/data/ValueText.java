package dev.kvshift.migrate.internal.data;

import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.DescriptorValidationException;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.TextFormat;
import com.google.protobuf.util.JsonFormat;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvException.InvalidArgument;
import dev.kvshift.model.ValueFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The values of a collection as text: protobuf messages as JSON with the field names of their
 * {@code .proto} file, other values as {@link PlainText}. Immutable.
 */
public final class ValueText {
  private final @Nullable ValueFormat<?> format;
  private final @Nullable Message empty;
  private final JsonFormat.TypeRegistry types;

  private ValueText(
      @Nullable ValueFormat<?> format, @Nullable Message empty, JsonFormat.TypeRegistry types) {
    this.format = format;
    this.empty = empty;
    this.types = types;
  }

  /**
   * A value as text.
   *
   * @param text the value, without control characters
   * @param isJson whether the text is JSON
   * @param problem what the text does not show; null for nothing
   */
  public record Shown(String text, boolean isJson, @Nullable String problem) {}

  /** Returns the text form of values without a declared format. */
  public static ValueText plain() {
    return new ValueText(null, null, JsonFormat.TypeRegistry.getEmptyTypeRegistry());
  }

  /** Returns the text form of a model's values. */
  public static ValueText of(ValueFormat<?> format) {
    Message empty = null;
    try {
      empty = format.decode(Bytes.empty()) instanceof Message message ? message : null;
    } catch (IllegalArgumentException notEmpty) {
      // A format whose values are never empty: shown by toString.
    }
    return new ValueText(
        format,
        empty == null ? null : empty.getDefaultInstanceForType(),
        JsonFormat.TypeRegistry.getEmptyTypeRegistry());
  }

  /**
   * Returns the text form of a protobuf message.
   *
   * @param file what {@code protoc --include_imports --descriptor_set_out} has written
   * @param message the message's name, with its package if another message has the same name
   * @throws KvException.Permanent if the file cannot be read or has no such message
   */
  public static ValueText of(Path file, String message) {
    List<Descriptor> messages = new ArrayList<>();
    for (FileDescriptor source : read(file)) {
      collect(source.getMessageTypes(), messages);
    }
    List<Descriptor> named =
        messages.stream()
            .filter(one -> one.getFullName().equals(message) || one.getName().equals(message))
            .toList();
    if (named.size() != 1) {
      TreeSet<String> names = new TreeSet<>();
      messages.forEach(one -> names.add(one.getFullName()));
      throw new KvException.Permanent(
          file
              + (named.isEmpty() ? " has no message " : " has several messages ")
              + message
              + ": give --message one of "
              + names);
    }
    return new ValueText(
        null,
        DynamicMessage.getDefaultInstance(named.get(0)),
        JsonFormat.TypeRegistry.newBuilder().add(messages).build());
  }

  private static void collect(List<Descriptor> messages, List<Descriptor> into) {
    for (Descriptor message : messages) {
      into.add(message);
      collect(message.getNestedTypes(), into);
    }
  }

  private static Collection<FileDescriptor> read(Path file) {
    try {
      Map<String, FileDescriptor> built = new HashMap<>();
      // protoc writes each file after those that it imports.
      for (FileDescriptorProto source :
          FileDescriptorSet.parseFrom(Files.readAllBytes(file)).getFileList()) {
        List<FileDescriptor> imports = new ArrayList<>();
        for (String name : source.getDependencyList()) {
          if (!built.containsKey(name)) {
            throw new KvException.Permanent(
                file + " lacks " + name + ": write it with protoc --include_imports");
          }
          imports.add(built.get(name));
        }
        built.put(
            source.getName(),
            FileDescriptor.buildFrom(source, imports.toArray(new FileDescriptor[0])));
      }
      return built.values();
    } catch (IOException | DescriptorValidationException e) {
      throw new KvException.Permanent(
          "the descriptors in "
              + file
              + " cannot be read: "
              + e.getMessage()
              + ": write them with protoc --include_imports --descriptor_set_out=FILE",
          e);
    }
  }

  /** Returns a value as text; its bytes if they are not of the declared format. */
  public Shown show(Bytes value) {
    try {
      if (empty != null) {
        return shown(parsed(empty, value));
      }
      Object decoded = format == null ? value : format.decode(value);
      if (decoded instanceof Bytes || decoded instanceof String) {
        return new Shown(PlainText.show(value), false, null);
      }
      return new Shown(PlainText.printable(String.valueOf(decoded)), false, null);
    } catch (RuntimeException e) {
      return new Shown(PlainText.hex(value), false, "it is not what its format declares");
    }
  }

  private Shown shown(Message message) {
    String problem =
        hasUnknownFields(message) ? "it has fields that its format does not declare" : null;
    try {
      String json =
          JsonFormat.printer()
              .usingTypeRegistry(types)
              .preservingProtoFieldNames()
              .omittingInsignificantWhitespace()
              .print(message);
      return new Shown(PlainText.printable(json), true, problem);
    } catch (InvalidProtocolBufferException | IllegalArgumentException noJson) {
      // An Any of an unknown type, or a time out of range.
      String text = TextFormat.printer().shortDebugString(message);
      return new Shown(PlainText.printable(text), false, problem);
    }
  }

  private static boolean hasUnknownFields(Message message) {
    if (message.getUnknownFields().getSerializedSize() > 0) {
      return true;
    }
    for (Object field : message.getAllFields().values()) {
      for (Object one : field instanceof List<?> list ? list : List.of(field)) {
        if (one instanceof Message nested && hasUnknownFields(nested)) {
          return true;
        }
      }
    }
    return false;
  }

  private static Message parsed(Message empty, Bytes value) {
    try {
      return empty.newBuilderForType().mergeFrom(value.toByteArray()).build();
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalArgumentException("not the declared message", e);
    }
  }

  /**
   * Returns the bytes of a value given as text: a message as JSON, other values as they are, any as
   * {@code 0x} and hexadecimal digits.
   *
   * @throws InvalidArgument if the text is not such a value
   */
  public Bytes parse(String text) {
    Bytes value = empty == null || PlainText.isHex(text) ? PlainText.parse(text) : message(text);
    try {
      if (empty != null) {
        parsed(empty, value);
      } else if (format != null) {
        format.decode(value);
      }
      return value;
    } catch (RuntimeException e) {
      throw new InvalidArgument(
          "the value is not what the collection's model declares: check it, or leave the model out",
          e);
    }
  }

  private Bytes message(String text) {
    Message.Builder builder = Objects.requireNonNull(empty).newBuilderForType();
    try {
      JsonFormat.parser().usingTypeRegistry(types).merge(text, builder);
      return Bytes.of(builder.build().toByteArray());
    } catch (InvalidProtocolBufferException | RuntimeException e) {
      throw new InvalidArgument(
          "the value is not a "
              + builder.getDescriptorForType().getFullName()
              + " as JSON: "
              + PlainText.printable(String.valueOf(e.getMessage())),
          e);
    }
  }
}
