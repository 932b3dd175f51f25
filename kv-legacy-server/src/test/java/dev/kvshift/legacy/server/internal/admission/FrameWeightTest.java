package dev.kvshift.legacy.server.internal.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.kvshift.legacy.wire.Hello;
import dev.kvshift.legacy.wire.InstanceReport;
import dev.kvshift.legacy.wire.LegacyLimits;
import dev.kvshift.legacy.wire.Request;
import dev.kvshift.legacy.wire.RequestFrame;
import dev.kvshift.legacy.wire.Use;
import dev.kvshift.legacy.wire.Write;
import io.grpc.Status;
import java.util.Random;
import org.junit.jupiter.api.Test;

class FrameWeightTest {
  private static final int EIGHT_MILLION = 8_000_000;

  private static FrameWeight weigh(RequestFrame.Builder frame) throws FrameRefusedException {
    return FrameWeight.of(frame.build().toByteArray());
  }

  /** Repeats an empty field of a length, which takes two bytes. */
  private static byte[] repeated(int field, int times) {
    byte[] wire = new byte[2 * times];
    for (int i = 0; i < times; i++) {
      wire[2 * i] = (byte) (field << 3 | 2);
    }
    return wire;
  }

  @Test
  void of_aWrite_countsEachOfItsFieldsOnce() throws FrameRefusedException {
    Request write =
        Request.newBuilder()
            .setId(1)
            .setWrite(Write.newBuilder().setMain(ByteString.copyFromUtf8("m")))
            .build();

    FrameWeight weight = weigh(RequestFrame.newBuilder().addRequests(write).addRequests(write));

    assertThat(weight.requests()).isEqualTo(2);
    assertThat(weight.extraBytes()).isEqualTo(2 * 4 * 64);
  }

  @Test
  void of_packedNumbers_countsWhatTheyTakeDecoded() throws FrameRefusedException {
    Hello.Builder hello = Hello.newBuilder();
    for (int i = 0; i < 100; i++) {
      hello.addUnsettled(1);
    }

    assertThat(weigh(RequestFrame.newBuilder().setHello(hello)).extraBytes())
        .isEqualTo(2 * 64 + 100 * 8);
  }

  @Test
  void of_eightMillionEmptyRequests_isRefused() {
    byte[] wire = repeated(RequestFrame.REQUESTS_FIELD_NUMBER, EIGHT_MILLION);

    assertThatThrownBy(() -> FrameWeight.of(wire))
        .isInstanceOf(FrameRefusedException.class)
        .hasMessage("a frame has at most " + LegacyLimits.MAX_FRAME_REQUESTS + " requests");
  }

  @Test
  void of_moreFieldsThanAllRequestsHave_isRefusedAtAnyLevel() throws FrameRefusedException {
    InstanceReport.Builder report = InstanceReport.newBuilder();
    for (int i = 0; i < FrameWeight.MAX_FIELDS - 2; i++) {
      report.addUses(Use.getDefaultInstance());
    }
    Request.Builder request = Request.newBuilder().setReport(report);
    assertThat(weigh(RequestFrame.newBuilder().addRequests(request)).extraBytes())
        .isEqualTo(64L * FrameWeight.MAX_FIELDS);

    request.setReport(report.addUses(Use.getDefaultInstance()));
    assertThatThrownBy(() -> weigh(RequestFrame.newBuilder().addRequests(request)))
        .isInstanceOf(FrameRefusedException.class)
        .hasMessage("a frame has at most " + FrameWeight.MAX_FIELDS + " fields");
  }

  @Test
  void decode_randomBytes_isAFrameOrRefused() {
    Random random = new Random(7);
    for (int i = 0; i < 20_000; i++) {
      byte[] wire = new byte[random.nextInt(64)];
      random.nextBytes(wire);

      ReceivedFrame received = ReceivedFrame.decode(wire, null);

      Status refusal = received.refusal();
      if (refusal != null) {
        assertThat(refusal.getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
      }
    }
  }
}
