"""STAND-IN: the CSP's side of the image transfer to a hub (its real form is not public)."""

import binascii
import enum
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from emulator.codecs import csp_transfer
from emulator.codecs.csp_transfer import (
    Chunk,
    ChunkAnswer,
    Close,
    Closed,
    Frame,
    Offer,
    OfferAnswer,
    Reason,
)
from emulator.core.clock import UtcMs
from emulator.core.effects import CancelTimer, Note, SendCsp, SetTimer
from emulator.core.errors import MalformedFrameError
from emulator.core.fault_schedule import FaultSchedule
from emulator.core.ids import Eui64
from emulator.wan.line import Line

IN: Final = "csp-in"
OUT: Final = "csp-out"
#: Octets of image in one chunk. Source: invented.
CHUNK_BYTES: Final = 4096
#: How long the CSP waits for an answer, and how often it repeats a frame. Source: invented.
ANSWER_WAIT_MS: Final = 5_000
MAX_REPEATS: Final = 4
_CHECK_BYTES: Final = 4

CspOutput = SendCsp | SetTimer | CancelTimer | Note


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a transfer ended.

    Attributes:
        delivered: The hub says it holds all of the image.
        reason: ``held``, or why not.
        at: When.
    """

    delivered: bool
    reason: str
    at: UtcMs


class TransferState(enum.StrEnum):
    """Where a transfer stands."""

    OFFERED = "offered"
    SENDING = "sending"
    CLOSING = "closing"
    ENDED = "ended"


@dataclass(slots=True)
class _Transfer:
    request_id: str
    image: bytes
    targets: tuple[Eui64, ...]
    state: TransferState = TransferState.OFFERED
    offset: int = 0
    repeats: int = 0
    outcome: Outcome | None = None
    claimed: bool = False


class CspSender:
    """Offers images to one hub and sends them chunk by chunk, each answered before the next."""

    def __init__(self) -> None:
        self._transfers: dict[int, _Transfer] = {}
        self._held: set[str] = set()

    def begin(
        self, request_id: str, image: bytes, targets: tuple[Eui64, ...], now: UtcMs
    ) -> tuple[int, list[CspOutput]]:
        """Begin a transfer, or return to the same one whose outcome nobody has heard yet.

        Returns:
            Its number, and what is to be done.
        """
        order = (request_id, image, targets)
        for number, transfer in self._transfers.items():
            same = (transfer.request_id, transfer.image, transfer.targets) == order
            if same and not transfer.claimed:
                return number, []
        number = len(self._transfers) + 1
        self._transfers[number] = _Transfer(*order)
        return number, self._put(number, now)

    def outcome(self, number: int) -> Outcome | None:
        """Return how a transfer ended, or None while it runs; hearing it once settles it."""
        transfer = self._transfers[number]
        if transfer.outcome is not None:
            transfer.claimed = True
            transfer.image = b""
        return transfer.outcome

    def holds(self, image: bytes) -> bool:
        """Say whether the hub once said that it holds all of this image."""
        return hashlib.sha256(image).hexdigest() in self._held

    def arrived(self, octets: bytes, now: UtcMs) -> list[CspOutput]:
        """Take a frame of the hub."""
        try:
            frame = csp_transfer.decode(octets)
        except MalformedFrameError as error:
            return [Note("csp_frame_discarded", (("layer", error.layer), ("why", error.why)))]
        transfer = self._transfers.get(frame.transfer_id)
        if transfer is None or transfer.outcome is not None:
            return [_ignored(frame)]
        number = frame.transfer_id
        match frame, transfer.state:
            case OfferAnswer(), TransferState.OFFERED:
                return self._answered(number, transfer, frame.reason, now)
            case ChunkAnswer(), TransferState.SENDING:
                return self._progress(number, transfer, frame.next_offset, now)
            case Closed(), _:
                return self._end(number, frame.reason, now)
            case _:
                return [_ignored(frame)]

    def expire(self, timer: str, now: UtcMs) -> list[CspOutput]:
        """An answer has not come: send the frame again, or give the transfer up."""
        number = int(timer)
        transfer = self._transfers[number]
        if transfer.outcome is not None:
            return []
        transfer.repeats += 1
        if transfer.repeats <= MAX_REPEATS:
            return self._put(number, now)
        abandon = csp_transfer.encode(Close(number, Reason.ABANDONED))
        return [SendCsp(abandon), *self._end(number, Reason.TRANSFER_FAILED, now)]

    def _answered(
        self, number: int, transfer: _Transfer, reason: Reason, now: UtcMs
    ) -> list[CspOutput]:
        if reason is not Reason.ACCEPTED:
            return self._end(number, reason, now)
        transfer.state = TransferState.SENDING
        return self._next(number, transfer, now)

    def _progress(
        self, number: int, transfer: _Transfer, next_offset: int, now: UtcMs
    ) -> list[CspOutput]:
        """Go on where the hub says; an answer that asks for the same again waits for the timer."""
        if next_offset == transfer.offset or next_offset > len(transfer.image):
            return [Note("csp_no_progress", (("transfer", number), ("offset", next_offset)))]
        transfer.offset = next_offset
        return self._next(number, transfer, now)

    def _next(self, number: int, transfer: _Transfer, now: UtcMs) -> list[CspOutput]:
        transfer.repeats = 0
        if transfer.offset == len(transfer.image):
            transfer.state = TransferState.CLOSING
        return self._put(number, now)

    def _put(self, number: int, now: UtcMs) -> list[CspOutput]:
        """Send the frame that this state of the transfer asks for."""
        transfer = self._transfers[number]
        image = transfer.image
        match transfer.state:
            case TransferState.OFFERED:
                digest = hashlib.sha256(image).digest()
                frame: Frame = Offer(
                    number, transfer.request_id, len(image), digest, transfer.targets
                )
            case TransferState.SENDING:
                at = transfer.offset
                frame = Chunk(number, at, image[at : at + CHUNK_BYTES])
            case _:
                frame = Close(number, Reason.COMPLETE)
        wait = SetTimer(str(number), UtcMs(now + ANSWER_WAIT_MS))
        return [SendCsp(csp_transfer.encode(frame)), wait]

    def _end(self, number: int, reason: Reason, now: UtcMs) -> list[CspOutput]:
        transfer = self._transfers[number]
        transfer.state = TransferState.ENDED
        transfer.outcome = Outcome(reason is Reason.HELD, reason.word, now)
        if reason is Reason.HELD:
            self._held.add(hashlib.sha256(transfer.image).hexdigest())
        ended = Note(
            "csp_transfer_ended",
            (
                ("transfer", number),
                ("reason", reason.word),
                ("offset", transfer.offset),
                ("size", len(transfer.image)),
            ),
        )
        return [CancelTimer(str(number)), ended]

    def dump(self) -> dict[str, Any]:
        """Return everything as plain data."""
        transfers = {
            str(number): {
                "request_id": transfer.request_id,
                "image": transfer.image,
                "targets": [target.octets for target in transfer.targets],
                "state": transfer.state.value,
                "offset": transfer.offset,
                "repeats": transfer.repeats,
                "outcome": _dump_outcome(transfer.outcome),
                "claimed": transfer.claimed,
            }
            for number, transfer in self._transfers.items()
        }
        return {"transfers": transfers, "held": sorted(self._held)}

    def load(self, state: Mapping[str, Any]) -> None:
        """Put everything back."""
        self._held = set(state["held"])
        self._transfers = {
            int(number): _Transfer(
                row["request_id"],
                row["image"],
                tuple(Eui64(octets) for octets in row["targets"]),
                TransferState(row["state"]),
                row["offset"],
                row["repeats"],
                None if row["outcome"] is None else Outcome(*row["outcome"]),
                row["claimed"],
            )
            for number, row in state["transfers"].items()
        }


def csp_line(schedule: FaultSchedule) -> Line:
    """Return the line that the transfer uses."""
    return Line(schedule, label_of, _CHECK_BYTES, with_crc)


def with_crc(body: bytes) -> bytes:
    """Return a frame without its CRC as a frame with the right one."""
    return body + binascii.crc32(body).to_bytes(_CHECK_BYTES, "big")


def label_of(octets: bytes) -> str:
    """Return the name of a frame, such as ``csp.chunk-answer``."""
    try:
        frame = csp_transfer.decode(octets)
    except MalformedFrameError:
        return "csp.unreadable"
    return f"csp.{_NAMES[type(frame)]}"


_NAMES: Final[Mapping[type[Frame], str]] = {
    Offer: "offer",
    OfferAnswer: "offer-answer",
    Chunk: "chunk",
    ChunkAnswer: "chunk-answer",
    Close: "close",
    Closed: "closed",
}


def _dump_outcome(outcome: Outcome | None) -> list[Any] | None:
    return None if outcome is None else [outcome.delivered, outcome.reason, outcome.at]


def _ignored(frame: Frame) -> Note:
    kind, number = type(frame).__name__, frame.transfer_id
    return Note("csp_frame_ignored", (("frame", kind), ("transfer", number)))
