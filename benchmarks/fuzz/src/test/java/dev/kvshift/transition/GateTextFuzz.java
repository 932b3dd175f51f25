package dev.kvshift.transition;

import dev.kvshift.api.Bytes;
import dev.kvshift.fuzz.FuzzTarget;
import dev.kvshift.spi.GateRecord;
import java.util.List;

/** Gates in the metadata of a store, and the reports of their instances. */
public final class GateTextFuzz implements FuzzTarget {
  @Override
  public List<byte[]> seeds() {
    return FuzzTarget.texts(
        "v1 epoch=7 phase=NEW_ONLY accept=6 floor=5 incarnation=2 ramp=40 sealed=1"
            + " copy=0123456789abcdef0123456789abcdef@clock-ordered",
        "v1 beat=3 instance=one service=a+service library=1.0 phase=NEW_ONLY\n"
            + "v1 use=items epoch=4 counts=9,3,2,8,4 locks=7 layout=point;shard=none;encoding=0"
            + " copy=0123456789abcdef0123456789abcdef@clock-ordered problem=x%3Dy skew=PT0.003S"
            + " uncertainty=PT0.0000015S");
  }

  @Override
  public void decode(byte[] input) {
    Bytes bytes = Bytes.of(input);
    if (FuzzTarget.text(input).contains("beat")) {
      GateText.Beat read = GateText.parseBeat(bytes);
      FuzzTarget.requireSame(read, GateText.parseBeat(GateText.print(read)));
    } else {
      GateRecord read = GateText.parseGate("items", bytes);
      FuzzTarget.requireSame(read, GateText.parseGate("items", GateText.print(read)));
    }
  }
}
