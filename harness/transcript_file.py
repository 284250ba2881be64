"""Recorded conversations as files: written while they happen, and read back.

``NAME.pcapng`` holds the octets: link type 147 (user 0), one interface a channel, nanoseconds,
direction in the packet flags (inbound is towards the meter), events as empty packets with JSON in
their comment. ``NAME.toml`` says what it is. A killed writer leaves both readable.
"""

import hashlib
import json
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

from harness.closing import Closing
from harness.dlms_view.line import Way
from harness.errors import UsageError
from harness.report import pcapng_blocks as blocks
from harness.report.pcapng_blocks import INBOUND, OUTBOUND, Packet
from harness.transcript import Chunk, EventKind, LineEvent, Record, Transcript
from harness.transcript_about import About, Masked
from harness.transcript_guard import SecretGuard

LINK_TYPE: Final = 147
_NANOSECONDS: Final = b"\x09"
_DIRECTIONS: Final = {Way.IN: INBOUND, Way.OUT: OUTBOUND}
_WAYS: Final = {flag: way for way, flag in _DIRECTIONS.items()}


def pcapng_of(name: Path) -> Path:
    """Return the file of octets of a capture called ``name`` (either of its files, or neither)."""
    stem = name.with_suffix("") if name.suffix in {".pcapng", ".toml"} else name
    return stem.with_name(stem.name + ".pcapng")


def toml_of(name: Path) -> Path:
    """Return the file that says what a capture called ``name`` is."""
    return pcapng_of(name).with_suffix(".toml")


class TranscriptWriter(Closing):
    """Writes a conversation while it happens.

    Each record is in the file, secrets masked, as soon as the frame it belongs to is whole.
    """

    def __init__(
        self,
        name: Path,
        about: About,
        *,
        secrets: Mapping[str, bytes] | None = None,
        channels: Sequence[str] = ("meter",),
    ) -> None:
        """Create both files.

        Args:
            name: Where to, without ending.
            about: What is known at the beginning.
            secrets: Name -> value of all secrets that take part: none of them may be in the file.
            channels: Names of the channels.

        Raises:
            UsageError: A file cannot be made.
        """
        self.path = pcapng_of(name)
        self.about = about
        self.channels = tuple(channels)
        self._guards = [
            SecretGuard(secrets or {}, about.framing, where=str(self.path)) for _ in channels
        ]
        try:
            self._file: BinaryIO = self.path.open("wb")
        except OSError as error:
            raise UsageError(
                "the capture cannot be written",
                where=str(self.path),
                cause=error.strerror or str(error),
                next_command="smetsbench capture --bench FILE --out OTHER-NAME",
            ) from error
        self._file.write(header_of(self.channels))
        self._file.flush()
        about.model_copy(update={"complete": False, "sha256": ""}).write(toml_of(name))

    def watch(self, secrets: Mapping[str, bytes]) -> None:
        """Look for further secrets in what is written from here on."""
        for guard in self._guards:
            guard.watch(secrets)

    def write(self, record: Record) -> None:
        """Take one record.

        Raises:
            SecretInCaptureError: A secret would stand in the file in clear; it is not written.
        """
        self._put(self._guards[record.channel].take(record))

    def _put(self, records: Iterable[Record]) -> None:
        octets = b"".join(packet_of(record) for record in records)
        if octets:
            self._file.write(octets)
            self._file.flush()

    def finish(self, **changes: Any) -> About:
        """Write what still waits, close, and say that the capture is whole.

        Args:
            changes: Attributes of ``About`` that are known only now.

        Returns:
            What the capture's ``.toml`` says.

        Raises:
            SecretInCaptureError: A secret would stand in the file in clear; the files are removed.
        """
        try:
            for guard in self._guards:
                self._put(guard.rest())
            self._file.close()
            _, records = read_records(self.path)
            for number, guard in enumerate(self._guards):
                guard.check_messages(one for one in records if one.channel == number)
        except UsageError:
            self.discard()
            raise
        found = [one for guard in self._guards for one in guard.masked]
        masked = tuple(
            Masked(what=what, client=client, times=found.count((what, client)))
            for what, client in dict.fromkeys(found)
        )
        self.about = self.about.model_copy(
            update={
                "masked": masked,
                **changes,
                "complete": True,
                "sha256": hashlib.sha256(self.path.read_bytes()).hexdigest(),
            }
        )
        self.about.write(toml_of(self.path))
        return self.about

    def discard(self) -> None:
        """Close and remove both files."""
        self._file.close()
        self.path.unlink(missing_ok=True)
        toml_of(self.path).unlink(missing_ok=True)

    def close(self) -> None:
        """Close the octets' file; more than once does no harm."""
        self._file.close()


def load(name: Path) -> Transcript:
    """Read a capture by the name of either of its files, or by the name without ending.

    A capture whose writer was killed ends with its last whole record.

    Raises:
        UsageError: No such capture, or one that was changed after it was written.
    """
    path, toml = pcapng_of(name), toml_of(name)
    if not path.is_file() or not toml.is_file():
        missing = toml if path.is_file() else path
        raise UsageError(
            "there is no capture of this name",
            where=str(missing),
            cause="a mistyped name; a capture is a pair of files, NAME.pcapng and NAME.toml",
            next_command="smetsbench capture --bench FILE --out NAME",
        )
    about = About.read(toml)
    if about.complete:
        _check_hash(path, about.sha256)
    channels, records = read_records(path)
    return Transcript(about, records, channels)


def _check_hash(path: Path, expected: str) -> None:
    if hashlib.sha256(path.read_bytes()).hexdigest() != expected:
        raise UsageError(
            "the capture was changed after it was written",
            where=str(path),
            cause="its hash is not the one in the .toml file; or two captures were mixed up",
            next_command="smetsbench capture --bench FILE --out NEW-NAME",
        )


def read_records(path: Path) -> tuple[tuple[str, ...], tuple[Record, ...]]:
    """Read the octets alone: names of channels, and records.

    Raises:
        UsageError: Not such a file, or damaged; a last record cut short is passed over.
    """
    with path.open("rb") as file:
        described = blocks.interfaces(path, file)
        if not described or any(one.link_type != LINK_TYPE for one in described):
            raise UsageError(
                "this is no capture of a meter's line",
                where=str(path),
                cause="another kind of pcapng file",
                next_command="smetsbench capture --bench FILE --out NAME",
            )
        records = []
        for end, body in blocks.packets(path, file):
            try:
                records.append(_record(body, len(described)))
            except (struct.error, KeyError, ValueError, TypeError) as error:
                raise UsageError(
                    f"a record cannot be read: {error}", where=f"{path}, before octet {end}"
                ) from error
    return tuple(one.name for one in described), tuple(records)


def header_of(
    channels: Sequence[str], told: str = "a meter's line; inbound is towards the meter"
) -> bytes:
    """Return the head of a file: section, and one interface a channel, with what it is."""
    return blocks.section("smetsbench") + b"".join(
        blocks.interface(LINK_TYPE, name, told, resolution=_NANOSECONDS) for name in channels
    )


def packet_of(record: Record) -> bytes:
    """Return a record as a packet block."""
    if isinstance(record, Chunk):
        direction = _DIRECTIONS[record.way]
        octets = record.octets
        return blocks.packet(Packet(record.channel, record.at_ns, octets, (), direction))
    said = json.dumps({"event": record.kind.value, **record.fields}, ensure_ascii=False)
    return blocks.packet(Packet(record.channel, record.at_ns, b"", (said,)))


def _record(body: bytes, channels: int) -> Record:
    packet = blocks.taken_apart(body)
    if packet.interface >= channels:
        raise ValueError("no such channel")
    if packet.direction:
        return Chunk(packet.at, _WAYS[packet.direction], packet.octets, packet.interface)
    said = json.loads(packet.comments[0]) if packet.comments else {}
    kind = EventKind(said.pop("event"))
    return LineEvent(packet.at, kind, said, packet.interface)


def rewritten(name: Path, change: Callable[[Transcript], Transcript]) -> About:
    """Replace a capture by another version of itself, and its hash with it.

    Raises:
        UsageError: It cannot be read or written.
    """
    transcript = change(load(name))
    path, part = pcapng_of(name), pcapng_of(name).with_suffix(".pcapng.part")
    content = header_of(transcript.channels) + b"".join(map(packet_of, transcript.records))
    part.write_bytes(content)
    part.replace(path)
    digest = hashlib.sha256(content).hexdigest()
    about = transcript.about.model_copy(update={"sha256": digest})
    about.write(toml_of(name))
    return about
