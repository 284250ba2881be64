"""Conversations between our client and an emulated meter, recorded in virtual time."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from emulator.codecs.dlms.apdu_parts import Attribute, Descriptor
from emulator.core.chance import Stream
from emulator.core.clock import UtcMs, iso
from emulator.core.ids import Eui64
from harness.benches.emulated_replay import EmulatedMeter, EmulatedWire
from harness.dlms import from_profile
from harness.dlms.jobs import AssociateJob, Done, GetJob, Job, ReleaseJob, SetSpeed, Value, Write
from harness.dlms.line import ReaderLine
from harness.dlms.settings import Framing
from harness.dlms_view.line import Way
from harness.errors import UsageError
from harness.meter import Credentials
from harness.transcript import Chunk, EventKind, LineEvent, Record, Transcript
from harness.transcript_about import About
from harness.transcript_file import TranscriptWriter

START: Final = UtcMs(1_767_603_600_000)
EUI64: Final = Eui64.parse("02-53-42-03-00-00-00-07")
SEED: Final = 1
CHANCE: Final = "hil/ESME/challenge"


def attribute(class_id: int, name: str, index: int) -> Attribute:
    """An attribute of 1-0:1.8.0.255 or 0-0:96.1.0.255, written so."""
    octets = bytes(int(part) for part in name.replace("-", ".").replace(":", ".").split("."))
    return Attribute(Descriptor(class_id, octets, index))


CLOCK = attribute(8, "0-0:1.0.0.255", 2)
IMPORT = attribute(3, "1-0:1.8.0.255", 2)
IMPORT_UNIT = attribute(3, "1-0:1.8.0.255", 3)
SERIAL = attribute(1, "0-0:96.1.0.255", 2)
VIEW = attribute(15, "0-0:40.0.0.255", 2)
NOTHING = attribute(3, "1-0:99.99.99.255", 2)


class Recorded:
    """Our client and an emulated meter on one line, with somebody who writes everything down."""

    def __init__(
        self,
        profile: str = "smets1",
        framing: Framing = Framing.HDLC,
        overlays: Sequence[Path] = (),
    ) -> None:
        self.meter = EmulatedMeter(profile, EUI64, SEED, tuple(overlays))
        section = self.meter.model().dlms
        assert section is not None
        self.section = section
        self.framing = framing
        self.wire: EmulatedWire = self.meter.open(framing, START)
        settings = from_profile.line_settings(section, framing)
        self.line = ReaderLine(settings, Stream(SEED, CHANCE).octets)
        self.records: list[Record] = [LineEvent(self._at(), EventKind.OPEN, {"baud": 9600})]

    def _at(self) -> int:
        return self.wire.now_ms * 1_000_000

    def credentials(self, name: str) -> Credentials:
        return from_profile.credentials(self.section, self.wire.keys, name)

    def do(self, job: Job) -> Value:
        """Do one job; time passes by a second for each."""
        self.wire.pass_until(self.wire.now_ms + 1000)
        outputs = self.line.begin(job, self.wire.now_ms)
        while True:
            for output in outputs:
                if isinstance(output, Write):
                    self._note(Way.IN, output.octets)
                    self.wire.write(output.octets)
                elif isinstance(output, SetSpeed):
                    fields = {"baud": output.baud}
                    self.records.append(LineEvent(self._at(), EventKind.SPEED, fields))
                elif isinstance(output, Done):
                    return output.value
            due_ms = self.line.deadline_ms
            wait_s = 1.0 if due_ms is None else max(0, due_ms - self.wire.now_ms) / 1000
            octets = self.wire.read(wait_s)
            if octets:
                self._note(Way.OUT, octets)
                outputs = self.line.receive(octets, self.wire.now_ms)
            else:
                outputs = self.line.expire(self.wire.now_ms)

    def _note(self, way: Way, octets: bytes) -> None:
        self.records.append(Chunk(self._at(), way, octets))

    def read(self, client: str, *attributes: Attribute) -> list[Value]:
        """Associate, read one by one, release."""
        jobs: list[Job] = [AssociateJob(self.credentials(client))]
        jobs += [GetJob((one,)) for one in attributes]
        return [self.do(job) for job in [*jobs, ReleaseJob()]]

    def transcript(self) -> Transcript:
        about = About(
            profile=self.meter.profile,
            framing=self.framing,
            endpoint="loopback",
            started_at=iso(START),
            seed=SEED,
            chance=CHANCE,
            device_seed=SEED,
            device={"eui64": str(EUI64)},
        )
        return Transcript(about, tuple(self.records))


def reading(
    *attributes: Attribute,
    client: str = "public",
    profile: str = "smets1",
    framing: Framing = Framing.HDLC,
) -> Transcript:
    """A recording of one association that reads attributes."""
    told = Recorded(profile, framing)
    told.read(client, *attributes)
    return told.transcript()


def save(name: Path, transcript: Transcript, secrets: Mapping[str, bytes] | None = None) -> About:
    """Write a whole transcript as a capture would; nothing is left of it where that is refused."""
    writer = TranscriptWriter(name, transcript.about, secrets=secrets, channels=transcript.channels)
    with writer:
        try:
            for record in transcript.records:
                writer.write(record)
        except UsageError:
            writer.discard()
            raise
        return writer.finish()
