"""Asks a meter again what was asked in a recorded conversation, and compares its answers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from harness.differences import Difference, difference, merged, pairs
from harness.dlms_view.conversation import Exchange, exchanges_of
from harness.dlms_view.opened import KeyRing, opened
from harness.dlms_view.readings import Reading, readings_of
from harness.replay_wire import Asker, Wire, settings_of
from harness.transcript import Transcript, read_line

#: Objects that identify one device; a capture with pseudonyms says something else.
_IDENTITIES: Final = frozenset({bytes.fromhex(one) for one in ("0000600100ff", "0000600101ff")})
_TITLE: Final = "server system title"


@dataclass(frozen=True, slots=True)
class Held:
    """What is known of the secrets of a recording's clients, by service access point.

    Attributes:
        passwords: Low-level secrets, put back where they are masked.
        ring: Keys of clients that cipher, so that what they were told is compared by field.
    """

    passwords: Mapping[int, bytes] = field(default_factory=dict, repr=False)
    ring: KeyRing = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of asking again.

    Attributes:
        exchanges: Number of exchanges asked again.
        differences: What the meter told otherwise than in the recording; a is the recording.
        volatile: What was expected to differ.
        answers: The exchanges as they went this time, opened.
    """

    exchanges: int
    differences: tuple[Difference, ...]
    volatile: tuple[Difference, ...]
    answers: tuple[Exchange, ...] = field(default=(), repr=False)


def recorded_exchanges(transcript: Transcript, channel: int = 0) -> list[Exchange]:
    """Return the exchanges of a recording."""
    seen = read_line(transcript.of(channel), transcript.about.framing)
    return exchanges_of((one.at_ns, one.seen) for one in seen)


def replay_as_client(
    transcript: Transcript,
    wire: Wire,
    *,
    held: Held | None = None,
    offset_ms: int = 0,
    step: Callable[[int], None] | None = None,
) -> Replayed:
    """Ask a meter again what was asked in a recording.

    Args:
        transcript: The recording.
        wire: The line to the meter.
        held: Secrets of its clients; None: none is known.
        offset_ms: How far the meter's clock was before the recording's.
        step: Called with 1 after each exchange.
    """
    recorded = recorded_exchanges(transcript)
    held = held or Held()
    asker = Asker(wire, settings_of(transcript), held.passwords)
    answers: list[Exchange] = []
    for exchange in recorded:
        wire.pass_until(exchange.at_ns // 1_000_000 + offset_ms)
        answers.append(asker.ask(exchange))
        if step is not None:
            step(1)
    then, now = opened(recorded, held.ring), opened(answers, held.ring)
    hidden = transcript.about.pseudonyms
    found = merged(_compared(then, now, pseudonyms=hidden))
    return Replayed(
        len(recorded),
        tuple(one for one in found if not one.volatile),
        tuple(one for one in found if one.volatile),
        tuple(now),
    )


def _compared(
    recorded: Sequence[Exchange], answers: Sequence[Exchange], *, pseudonyms: bool
) -> Iterator[Difference]:
    for number, (then, now) in enumerate(zip(recorded, answers, strict=False), 1):
        for one, other in pairs(readings_of(then), readings_of(now)):
            told = difference(one, other, where=f"exchange {number}")
            if told is None:
                continue
            hidden = pseudonyms and _identifies(one, told)
            yield replace(told, volatile=told.volatile or "pseudonym") if hidden else told


def _identifies(reading: Reading, told: Difference) -> bool:
    if reading.target is not None:
        return reading.target.obis in _IDENTITIES
    return bool(told.details) and all(one.path == _TITLE for one in told.details)
