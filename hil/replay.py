"""Replays a recorded conversation as client: against an emulated meter, or one on a bench."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from emulator.core.clock import UtcMs, from_datetime
from emulator.core.ids import Eui64
from emulator.crypto.dlms_factory import made_up_eui64
from harness.benches.emulated_replay import EmulatedMeter
from harness.differences import merged
from harness.dlms_view.opened import opened
from harness.errors import UsageError
from harness.replay_client import Replayed, recorded_exchanges, replay_as_client
from harness.replay_moments import offsets_of
from harness.transcript import Transcript, sessions_of
from hil.serial_port import SerialPort

Step = Callable[[int], None]


def _nobody(_count: int) -> None:
    """Nobody counts."""


@dataclass(frozen=True, slots=True)
class Against:
    """What a recording is replayed against: an emulated meter.

    Attributes:
        profile: Device model; empty takes the recording's.
        overlays: Overlay folders, the strongest last.
        seed: Seed of the meter; None takes the recording's, or 1.
    """

    profile: str = ""
    overlays: tuple[Path, ...] = ()
    seed: int | None = None

    def meter(self, transcript: Transcript) -> EmulatedMeter:
        """Return the meter to emulate.

        Raises:
            UsageError: Neither this nor the recording names a profile.
        """
        about = transcript.about
        profile = self.profile or about.profile
        if not profile:
            raise UsageError(
                "the capture does not say which profile its meter has",
                where="--against",
                next_command="smetsbench replay NAME --as client --against PROFILE",
            )
        seed = next(one for one in (self.seed, about.device_seed, 1) if one is not None)
        return EmulatedMeter(profile, eui64_of(transcript, profile, seed), seed, self.overlays)


def eui64_of(transcript: Transcript, profile: str, seed: int) -> Eui64:
    """Return who the recorded device said it is; made up from the seed where it did not say."""
    text = transcript.about.device.get("eui64", "")
    try:
        return Eui64.parse(text)
    except ValueError:
        return made_up_eui64(seed, profile)


def start_of(transcript: Transcript) -> UtcMs:
    """Return the moment at which a recorded emulated device was new; else of the first record."""
    if transcript.about.started_at:
        return from_datetime(datetime.fromisoformat(transcript.about.started_at))
    first = next(iter(transcript.records), None)
    return UtcMs(0 if first is None else first.at_ns // 1_000_000)


def against_emulator(transcript: Transcript, against: Against, step: Step = _nobody) -> Replayed:
    """Replay against an emulated meter, in virtual time; every session against a new one.

    The recorded device's clock is known to a second; of the moments within it, the one is taken
    at which the emulated meter agrees best.

    Raises:
        UsageError: The profile cannot be used.
    """
    meter = against.meter(transcript)
    parts = [_session(one, meter, step) for one in sessions_of(transcript)]
    if len(parts) == 1:
        return parts[0]
    return Replayed(
        sum(one.exchanges for one in parts),
        tuple(merged(found for one in parts for found in one.differences)),
        tuple(merged(found for one in parts for found in one.volatile)),
        tuple(answer for one in parts for answer in one.answers),
    )


def _session(transcript: Transcript, meter: EmulatedMeter, step: Step) -> Replayed:
    start, held = start_of(transcript), meter.held()
    recorded = opened(recorded_exchanges(transcript), held.ring)
    offsets = offsets_of(recorded).candidates()

    def once(offset_ms: int, counted: Step) -> Replayed:
        wire = meter.open(transcript.about.framing, UtcMs(start + min(0, offset_ms)))
        return replay_as_client(transcript, wire, held=held, offset_ms=offset_ms, step=counted)

    best = once(offsets[0], step)
    for offset_ms in offsets[1:]:
        if not best.differences:
            break
        best = min(best, once(offset_ms, _nobody), key=lambda one: len(one.differences))
    return best


class PortWire:
    """A real line as ``harness.replay_wire.Wire``: time passes by itself."""

    def __init__(self, port: SerialPort) -> None:
        """Take over an open port."""
        self._port = port

    @property
    def now_ms(self) -> int:
        """The present moment of the monotonic clock, milliseconds."""
        return time.monotonic_ns() // 1_000_000

    def write(self, octets: bytes) -> None:
        """Put octets on the line."""
        self._port.write(octets)

    def read(self, timeout_s: float) -> bytes:
        """Return what came; nothing when the time is up."""
        return self._port.read(timeout_s)

    def set_baud(self, baud: int) -> None:
        """Send and receive at this speed from now on."""
        self._port.set_baud(baud)

    def pass_until(self, at_ms: int) -> None:
        """Do nothing: recorded waits are collapsed on a real line."""
        del at_ms
