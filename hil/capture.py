"""Records what is said between a client of ours and a meter of a bench."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from device_profiles.words import DeviceType
from emulator.codecs.dlms.access import print_obis
from emulator.core.clock import iso
from emulator.core.ids import Eui64
from emulator.crypto.dlms_factory import factory_keys
from harness.dlms_view.line import Way
from harness.errors import HarnessError, UsageError
from harness.files import refuse_same
from harness.meter import Credentials
from harness.meter_walk import Walked, walk
from harness.ports import Bench, CapturedFrame
from harness.run_options import RunOptions
from harness.transcript import Chunk, EventKind, LineEvent, Transcript
from harness.transcript_about import About, Client
from harness.transcript_file import TranscriptWriter, pcapng_of, rewritten, toml_of
from harness.transcript_pseudonyms import pseudonymised
from hil import bench as hil_bench
from hil.bench_file import LoadedBench
from hil.capture_subject import CaptureChoices, Subject, secrets_of
from hil.endpoints import EndpointKind
from hil.line_bench import HilBench
from hil.tap import Tap
from hil.transcript_tap import TranscriptTap

_WAYS: Final = {"line-in": Way.IN, "line-out": Way.OUT}
Step = Callable[[int, int], None]


class CapturedBench(HilBench):
    """A bench in real time with somebody who listens to one of its lines."""

    def __init__(
        self, loaded: LoadedBench, options: RunOptions, taps: Mapping[DeviceType, Tap]
    ) -> None:
        """Describe a bench; nothing is opened yet."""
        super().__init__(loaded, options)
        self._opener = replace(self._opener, taps=taps)


def capture_walk(choices: CaptureChoices, step: Step) -> tuple[About, Walked]:
    """Capture a read-only walk through a meter.

    Args:
        choices: What and where to.
        step: Told after each attribute: how many were read, of how many.

    Returns:
        What the capture's file says, and what the walk came to.

    Raises:
        UsageError: The bench file is wrong, or a secret would stand in the capture in clear
            (``SecretInCaptureError``: nothing is left of it then).
        BenchError: The bench broke; what was captured until then is kept, marked incomplete.
    """
    refuse_bench(choices)
    subject = Subject.of(choices)
    options = choices.options()
    with asyncio.Runner(loop_factory=lambda: hil_bench.new_event_loop(options)) as loop:
        if subject.kind is EndpointKind.EMULATED:
            return loop.run(_emulated(choices, subject, step))
        return loop.run(_on_a_line(choices, subject, step))


def refuse_bench(choices: CaptureChoices) -> None:
    """Refuse to write a capture over its own bench file.

    Raises:
        UsageError: Both have one name.
    """
    for path in (pcapng_of(choices.out), toml_of(choices.out)):
        refuse_same(path, choices.bench)


async def _emulated(choices: CaptureChoices, subject: Subject, step: Step) -> tuple[About, Walked]:
    bench = await hil_bench.open_bench(choices.options())
    try:
        started = bench.clock.now()
        eui64 = bench.role(choices.role.value)
        factory = factory_keys(choices.seed, eui64)
        who = bench.credentials(choices.role.value, choices.client or "public")
        about = subject.about().model_copy(
            update={
                "started_at": iso(started),
                "device": {"eui64": str(eui64)},
                "device_seed": choices.seed,
            }
        )
        writer = TranscriptWriter(choices.out, about, secrets=secrets_of(factory, [who]))
        with writer:
            walked = await _walked(bench, who, subject, step)
            write_frames(writer, bench.take_frames())
            return finished(choices, subject, writer, walked, (who,)), walked
    finally:
        await bench.close()


def write_frames(writer: TranscriptWriter, frames: Sequence[CapturedFrame]) -> None:
    """Write what crossed an emulated meter's line.

    Raises:
        SecretInCaptureError: A secret would stand in the file; the files are removed.
    """
    before_us = 1 << 62
    try:
        for frame in frames:
            if frame.link not in _WAYS:
                continue
            if frame.at_us < before_us:  # time begins anew with every scenario
                writer.write(LineEvent(frame.at_us * 1000, EventKind.SESSION))
            before_us = frame.at_us
            writer.write(Chunk(frame.at_us * 1000, _WAYS[frame.link], frame.frame))
    except UsageError:
        writer.discard()
        raise


async def _on_a_line(choices: CaptureChoices, subject: Subject, step: Step) -> tuple[About, Walked]:
    writer = TranscriptWriter(choices.out, subject.about(), secrets=secrets_of(subject.factory, ()))
    with writer:
        tap = TranscriptTap(writer)
        bench = CapturedBench(subject.loaded, choices.options(), {choices.role: tap})
        try:
            await bench.open()
            writer.about = writer.about.model_copy(update={"started_at": iso(bench.clock.now())})
            who = bench.credentials(choices.role.value, choices.client or "public")
            writer.watch(secrets_of(None, [who]))
            walked = await _walked(bench, who, subject, step)
        finally:
            await bench.close()
        settled(writer, tap)
        return finished(choices, subject, writer, walked, (who,)), walked


def settled(writer: TranscriptWriter, tap: TranscriptTap) -> None:
    """Raise what went wrong while a line was recorded; nothing of the capture is left then.

    Raises:
        HarnessError: A secret in clear, or a file that cannot be written.
    """
    try:
        tap.check()
    except HarnessError:
        writer.discard()
        raise


async def _walked(bench: Bench, who: Credentials, subject: Subject, step: Step) -> Walked:
    firmware = b"" if subject.profile.dlms is None else _octets(subject.profile.dlms.firmware_obis)
    port = bench.meter(subject.role.value)
    return await walk(port, who, firmware=firmware, step=step)


def _octets(obis: str) -> bytes:
    """Return a logical name of six values as octets."""
    name = bytes(int(part) for part in obis.replace("-", ".").replace(":", ".").split("."))
    return name if print_obis(name) == obis else b""


def finished(
    choices: CaptureChoices,
    subject: Subject,
    writer: TranscriptWriter,
    walked: Walked | None,
    clients: Sequence[Credentials],
) -> About:
    """Close the capture, with all that is known of it now."""
    device = {**writer.about.device, **({} if walked is None else walked.device)}
    about = writer.finish(
        device=device,
        clients=tuple(_client(one) for one in clients),
        secrets=tuple(sorted(secrets_of(None, clients))),
    )
    if not subject.is_real or choices.with_identifiers:
        return about
    return without_identifiers(choices.out)


def _client(who: Credentials) -> Client:
    ciphered = who.form.value != "plain"
    return Client(
        name=who.name, sap=who.client, mechanism=who.mechanism.name.lower(), ciphered=ciphered
    )


def without_identifiers(name: Path) -> About:
    """Replace the device's identifiers in a capture that has just been made.

    Raises:
        IdentifierInCaptureError: One of them stands where it cannot be replaced; nothing is left.
    """

    def changed(transcript: Transcript) -> Transcript:
        told = transcript.about.device
        eui64s = [Eui64.parse(told["eui64"]).octets] if "eui64" in told else []
        serials = [told["serial_number"].encode()] if told.get("serial_number") else []
        return pseudonymised(transcript, eui64s, serials)

    try:
        return rewritten(name, changed)
    except UsageError:
        for path in (pcapng_of(name), toml_of(name)):
            path.unlink(missing_ok=True)
        raise
