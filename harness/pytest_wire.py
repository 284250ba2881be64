"""What crossed the links of a test's bench: frames as captured, and what they say."""

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, TypedDict, Unpack

from device_profiles.words import DeviceType
from emulator.core.clock import UtcMs, iso
from harness.parties.post import Post
from harness.player import role
from harness.ports import Bench, CapturedFrame, Observation
from harness.pytest_home import closest
from harness.pytest_trail import hides
from harness.report.dissect import Dissector
from harness.report.layers import FRAGMENTS, Layers
from harness.report.naming import Directory
from harness.report.pcapng import PcapngWriter

__tracebackhide__ = hides

#: Families of frames that carry nothing of their own.
_QUIET: Final = frozenset({"ack", FRAGMENTS})
#: Frames from which the last ones are decoded for a failure: enough for a message in fragments.
_TAIL: Final = 400
#: Far end of a SMETS1 hub's WAN.
_HEAD_END: Final = "head end"
#: Link of what parties send each other.
PARTY: Final = "party"


@dataclass(frozen=True, slots=True)
class Message:
    """One message, decoded.

    Attributes:
        at: When.
        link: Link of the frame (``han``, ``wan-in`` …), or ``party``.
        sender: Device or party.
        receiver: Device or party.
        label: What it is, one line: ``CS06 command``, ``Image Block Request``.
        octets: As it crossed.
        comment: Stand-ins, and faults that touched it.
        damaged: Whether it could not be decoded.
        layers: Decoded layers, outermost first.
    """

    at: UtcMs
    link: str
    sender: str
    receiver: str
    label: str
    octets: bytes = field(repr=False)
    comment: str = ""
    damaged: bool = False
    layers: Layers = field(default=(), repr=False)

    def fields(self) -> dict[str, str]:
        """Return every decoded field; the innermost layer wins where names meet."""
        return {name.strip(): value for layer in self.layers for name, value in layer.tell()}

    def __str__(self) -> str:
        touched = f"  [{self.comment}]" if self.comment else ""
        ends = f"{self.sender} → {self.receiver}"
        return f"{iso(self.at)}  {self.link:<8} {ends:<22} {self.label}{touched}"


class Where(TypedDict, total=False):
    """Which messages are meant; what is left out means any.

    Attributes:
        sender: Device or party.
        receiver: Device or party.
        link: Link.
        since: What ``Wire.mark`` returned; frames before it, and letters, are left out.
    """

    sender: str
    receiver: str
    link: str
    since: int


class Wire:
    """Frames and messages of one test, from its first moment on.

    Only this object takes frames and observations off the bench.

    Attributes:
        posts: Where parties write down what they send each other.
    """

    def __init__(self, bench: Bench, *, smets1: bool = False) -> None:
        """Listen to a bench.

        Args:
            bench: The bench.
            smets1: Whether head ends are at the far end of its hub's WAN, and not the ACB.
        """
        self._bench = bench
        self._smets1 = smets1
        self._frames: list[CapturedFrame] = []
        self._observed: list[Observation] = []
        self._decoded: list[Message] = []
        self._done = 0
        self._dissector: Dissector | None = None
        self.posts: list[Post] = []

    # -- looking -------------------------------------------------------------------------------

    @property
    def frames(self) -> Sequence[CapturedFrame]:
        """All frames so far, in order."""
        self._frames += self._bench.take_frames()
        return self._frames

    @property
    def observations(self) -> Sequence[Observation]:
        """All that was seen inside devices so far; empty where nobody can look inside."""
        self._observed += self._bench.take_observations() or ()
        return self._observed

    @property
    def messages(self) -> Sequence[Message]:
        """All frames so far, decoded; without acknowledgements and parts of fragments."""
        frames = self.frames
        if self._dissector is None:
            self._dissector = Dissector(self._directory())
        self._decoded += _decoded(self._dissector, frames[self._done :])
        self._done = len(frames)
        return self._decoded

    @property
    def letters(self) -> Sequence[Message]:
        """What parties sent each other, by the parties' own calendar."""
        return [
            Message(one.at, PARTY, one.sender, one.receiver, one.summary, one.octets)
            for post in self.posts
            for one in post.letters
        ]

    def mark(self) -> int:
        """Return a place in the capture, for ``since``."""
        return len(self.messages)

    def find(self, label: str = "*", **where: Unpack[Where]) -> list[Message]:
        """Return the messages of a kind; those between parties come last.

        Args:
            label: Glob over ``Message.label``, e.g. ``CS06*``; upper and lower case are one.
            where: See ``Where``.
        """
        since = where.get("since", 0)
        letters = [] if since else self.letters
        wanted = [(name, str(word).lower()) for name, word in where.items() if name != "since"]

        def fits(one: Message) -> bool:
            return fnmatch.fnmatchcase(one.label.lower(), label.lower()) and all(
                getattr(one, name).lower() == word for name, word in wanted
            )

        return [one for one in (*self.messages[since:], *letters) if fits(one)]

    # -- asserting -----------------------------------------------------------------------------

    def expect(
        self, label: str, *, times: int | None = None, **where: Unpack[Where]
    ) -> list[Message]:
        """Return the messages of a kind; there must be some.

        Args:
            label: As for ``find``.
            times: How many there must be; None: one or more.
            where: As for ``find``.

        Raises:
            AssertionError: There are none, or not so many.
        """
        found = self.find(label, **where)
        if found if times is None else len(found) == times:
            return found
        wanted = "one" if times is None else str(times)
        cause = "" if found else closest(label.strip("*"), sorted({m.label for m in self.messages}))
        raise AssertionError(
            self._told(f"{_asked(label, where)}: {len(found)}, not {wanted}", cause)
        )

    def absent(self, label: str, **where: Unpack[Where]) -> None:
        """Assert that no message of a kind crossed.

        Raises:
            AssertionError: One did.
        """
        found = self.find(label, **where)
        if found:
            raise AssertionError(
                self._told(f"{_asked(label, where)}: crossed, first as {found[0]}")
            )

    def in_order(self, *labels: str) -> None:
        """Assert that messages crossed in this order, others between them.

        Raises:
            AssertionError: They did not.
        """
        rest = iter(self.messages)
        for number, label in enumerate(labels):
            if not any(fnmatch.fnmatchcase(one.label.lower(), label.lower()) for one in rest):
                after = f" behind {labels[number - 1]!r}" if number else ""
                raise AssertionError(self._told(f"no {label!r} crossed{after}"))

    def seen_inside(self, kind: str, device: str = "") -> list[Observation]:
        """Return what was seen inside devices, of one kind (docs/observations.md)."""
        eui64 = self._bench.role(device) if device else None
        return [
            one
            for one in self.observations
            if one.kind == kind and (eui64 is None or one.device == eui64)
        ]

    # -- for reports ---------------------------------------------------------------------------

    def last(self, count: int) -> list[str]:
        """Return the last messages as lines."""
        dissector = Dissector(self._directory())
        return [str(one) for one in _decoded(dissector, self.frames[-_TAIL:])[-count:]]

    def save(self, path: Path) -> int:
        """Write all frames as pcapng, and return how many; none: no file."""
        frames = self.frames
        if frames:
            writer = PcapngWriter(path)
            for frame in frames:
                writer.write(frame)
            writer.close()
        return len(frames)

    def _directory(self) -> Directory:
        """Return the names of the bench's devices, as they stand now."""
        found = {one.value: role(self._bench, one) for one in DeviceType}
        names = {eui64.hex: name for name, eui64 in found.items() if eui64 is not None}
        made = Directory.of(names, self._bench.describe(), ())
        return replace(made, wan=(_HEAD_END, _HEAD_END)) if self._smets1 else made

    def _told(self, what: str, cause: str = "") -> str:
        lines = [what, *([f"likely cause: {cause}"] if cause else [])]
        last = self.last(5)
        return "\n".join([*lines, "last messages:" if last else "no frame crossed", *last])


def _decoded(dissector: Dissector, frames: Sequence[CapturedFrame]) -> list[Message]:
    rows = []
    for frame in frames:
        told = dissector.dissect(frame)
        if told.family in _QUIET:
            continue
        rows.append(
            Message(
                UtcMs(frame.at_us // 1000),
                frame.link,
                told.sender,
                told.receiver,
                told.label,
                frame.frame,
                frame.comment,
                told.damaged,
                told.layers,
            )
        )
    return rows


def _asked(label: str, where: Where) -> str:
    more = ", ".join(f"{name} {value}" for name, value in where.items())
    return f"messages {label!r}" + (f" ({more})" if more else "")
