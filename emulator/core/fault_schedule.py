"""A run's faults at work: counts frames, watches notes, says what each fault does now."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from emulator.core.chance import Chance, Stream
from emulator.core.clock import UtcMs
from emulator.core.effects import Value
from emulator.core.errors import IllegalEventError
from emulator.core.fault_keys import ROLES
from emulator.core.faults import (
    FAULTS,
    SIM,
    Copy,
    DeviceAct,
    Fault,
    Hand,
    SimAct,
    parse,
    parse_clear,
)
from emulator.core.values import quick

#: What happens on the link ``sim``.
SIM_MOVE: Final = "sim.move"
SIM_ATTACH: Final = "sim.attach"
#: The one fault of the SIM that strikes attempts to attach; the others strike moves.
_KEEPS_OFF: Final = "mute"
_BOTH_WAYS: Final = {link: (f"{link}-in", f"{link}-out") for link in ("wan", "csp", "line")}


@quick
@dataclass(frozen=True, slots=True)
class Frame:
    """A frame about to cross a link, as faults see it.

    Attributes:
        link: ``han``, ``wan-in``, ``wan-out``, ``csp-in``, ``csp-out``, ``line-in`` (towards the
            meter) or ``line-out``.
        octets: The frame.
        label: What it is, e.g. ``ota.image-block-response``.
        source: Role of the sender; empty for what is no device.
        destination: Role of the receiver; empty for what is no device.
    """

    link: str
    octets: bytes
    label: str
    source: str = ""
    destination: str = ""


@dataclass(frozen=True, slots=True)
class Crossing:
    """What becomes of a frame.

    Attributes:
        copies: What is delivered; empty when it is lost.
        faults: Texts of the faults that touched it.
    """

    copies: tuple[Copy, ...]
    faults: tuple[str, ...]


@dataclass(slots=True)
class _Count:
    """How often a fault's condition was met, how often it happened, what state it saw last."""

    seen: int = 0
    applied: int = 0
    state: str = ""
    ended: bool = False


class FaultSchedule:
    """Applies a row of faults; two runs of one seed apply them alike.

    Attributes:
        ordered: Faults the run began with.
        faults: Those, and behind them what was put into force since.
        struck: Links whose frames faults may touch now; always this very set, for whoever looks at
            it frame by frame.
    """

    def __init__(self, faults: Sequence[Fault], chance: Chance) -> None:
        self.ordered = tuple(faults)
        self.faults: tuple[Fault, ...] = ()
        self.struck: set[str] = set()
        self._resting: set[str] = set()
        self._chance = chance
        self._begin()

    def _begin(self) -> None:
        self.faults = ()
        self._counts: list[_Count] = []
        self._draw: list[Stream] = []
        self._on_link: dict[str, list[int]] = {}
        self._on_role: dict[str, list[int]] = {}
        self._look_who_strikes()
        for fault in self.ordered:
            self.add(fault)

    def add(self, fault: Fault) -> int:
        """Put one more fault into force; return its place in ``faults``."""
        index = len(self.faults)
        self.faults = (*self.faults, fault)
        self._counts.append(_Count())
        self._draw.append(self._chance.stream(f"fault/{index}/{fault.text}"))
        if FAULTS[fault.name].on_frames or fault.link == SIM:
            for link in _BOTH_WAYS.get(fault.link, (fault.link,)):
                self._on_link.setdefault(link, []).append(index)
        else:
            self._on_role.setdefault(fault.link, []).append(index)
        self._look_who_strikes()
        return index

    def order(self, text: str, now: UtcMs) -> tuple[UtcMs, int] | None:
        """Put what an order says into force: one more fault, or none of a place any more.

        Args:
            text: In the notation of ``--fault``, or ``clear@LINK``.
            now: The present moment; seconds count from it.

        Returns:
            When a fault of a device comes by itself, and its place in ``faults``; None for what
            waits for frames or notes.

        Raises:
            FaultError: The order means nothing.
        """
        link = parse_clear(text)
        if link is not None:
            self.clear(link)
            return None
        place = self.add(parse(text))
        due = self.due(place, now) if self.faults[place].link in ROLES else None
        return None if due is None else (due, place)

    def clear(self, link: str) -> int:
        """End every fault that lies on a link or role; return how many there were.

        A fault of both directions ends with ``wan``; ``wan-in`` ends what was ordered for that one.
        """
        named = {link, *_BOTH_WAYS.get(link, ())}
        ended = 0
        for fault, count in zip(self.faults, self._counts, strict=True):
            if fault.link in named and not count.ended:
                count.ended = True
                ended += 1
        self._forget_ended()
        return ended

    def _forget_ended(self) -> None:
        for table in (self._on_link, self._on_role):
            for link, indexes in [*table.items()]:
                left = [index for index in indexes if not self._counts[index].ended]
                if left:
                    table[link] = left
                else:
                    del table[link]
        self._look_who_strikes()

    def _look_who_strikes(self) -> None:
        """Bring ``struck`` up to date: faults of a link were laid, ended, or told to rest."""
        self.struck.clear()
        self.struck.update(self._on_link.keys() - self._resting)

    def sim(self, label: str, party: str) -> list[tuple[Fault, SimAct]]:
        """Return what faults of the SIM do to a move (``sim.move``) or an attach (``sim.attach``).

        Args:
            label: Which of the two.
            party: Whose network the SIM is to be on, or is.
        """
        acts: list[tuple[Fault, SimAct]] = []
        frame = Frame(SIM, b"", label, destination=party)
        for index in self._on_link.get(SIM, ()):
            fault = self.faults[index]
            act = FAULTS[fault.name].sim
            concerns = (label == SIM_ATTACH) == (fault.name == _KEEPS_OFF)
            if act is not None and concerns and self._strikes(index, frame):
                acts.append((fault, act(fault)))
        return acts

    def touches(self, link: str) -> bool:
        """Say whether any fault is laid on this link (so that the others cost nothing)."""
        return link in self.struck

    def rest(self, link: str, *, on: bool) -> None:
        """Let everything pass a link, or have its faults strike again; they stay in force."""
        (self._resting.add if on else self._resting.discard)(link)
        self._look_who_strikes()

    @property
    def is_at_work(self) -> bool:
        """Whether any fault is in force anywhere."""
        return bool(self._on_link or self._on_role)

    def watches(self, role: str) -> bool:
        """Say whether any fault waits for notes of this role."""
        return role in self._on_role

    def cross(
        self, frame: Frame, check_bytes: int = 0, seal: Callable[[bytes], bytes] = bytes
    ) -> Crossing:
        """Send a frame through every fault of its link, in the order they were given.

        Args:
            frame: The frame.
            check_bytes: Octets of check sequence at its tail.
            seal: Puts the right check sequence behind a body.
        """
        copies: tuple[Copy, ...] = (Copy(frame.octets),)
        touched: list[str] = []
        laid = () if frame.link in self._resting else self._on_link.get(frame.link, ())
        for index in laid:
            if not self._strikes(index, frame):
                continue
            touched.append(self.faults[index].text)
            hand = Hand(self._draw[index], check_bytes, seal)
            copies = self._through(index, copies, hand)
        return Crossing(copies, tuple(touched))

    def _through(self, index: int, copies: tuple[Copy, ...], hand: Hand) -> tuple[Copy, ...]:
        fault = self.faults[index]
        act = FAULTS[fault.name].frame
        if act is None:
            raise IllegalEventError(f"{fault.text} is no fault of frames")
        return tuple(
            Copy(after.frame, before.delay_us + after.delay_us)
            for before in copies
            for after in act(before.frame, fault, hand)
        )

    def _strikes(self, index: int, frame: Frame) -> bool:
        fault, count = self.faults[index], self._counts[index]
        if not self._matches(fault, frame):
            return False
        count.seen += 1
        if count.applied >= fault.whole("times", 1 << 62):
            return False
        nth, every, chance = fault.number("n"), fault.number("every"), fault.number("p")
        if nth is not None and count.seen != nth:
            return False
        if every is not None and count.seen % every:
            return False
        if chance is not None and not self._draw[index].happens(chance):
            return False
        count.applied += 1
        return True

    @staticmethod
    def _matches(fault: Fault, frame: Frame) -> bool:
        return (
            fnmatchcase(frame.label, fault.word("kind") or "*")
            and fault.word("from") in {"", frame.source}
            and fault.word("to") in {"", frame.destination}
            and fault.word("role") in {"", frame.source, frame.destination}
            and fault.word("party") in {"", frame.destination}
        )

    def timed(self, start: UtcMs) -> list[tuple[UtcMs, int]]:
        """Return when faults that name a time come, with their place in ``faults``."""
        due = [(self.due(index, start), index) for index in range(len(self.faults))]
        return [(at, index) for at, index in due if at is not None]

    def due(self, index: int, start: UtcMs) -> UtcMs | None:
        """Return when the fault at this place comes by itself; None for what waits for others.

        Args:
            index: Its place in ``faults``.
            start: The moment from which its seconds count.
        """
        fault = self.faults[index]
        at, after_s = fault.number("at"), fault.number("after_s")
        if FAULTS[fault.name].armed:
            return start
        if at is not None:
            return UtcMs(int(at))
        return None if after_s is None else UtcMs(start + round(after_s * 1000))

    def is_over(self, index: int) -> bool:
        """Say whether the fault at this place was ended."""
        return self._counts[index].ended

    def act(self, index: int) -> tuple[Fault, DeviceAct]:
        """Return what the device fault at this place does to its device.

        Raises:
            IllegalEventError: The fault at this place touches frames.
        """
        fault = self.faults[index]
        act = FAULTS[fault.name].device
        if act is None:
            raise IllegalEventError(f"{fault.text} is no fault of devices")
        return fault, act(fault)

    def noted(self, role: str, kind: str, fields: Sequence[tuple[str, Value]]) -> list[int]:
        """Return the places of faults that strike because a device of ``role`` made this note."""
        struck: list[int] = []
        for index in self._on_role.get(role, ()):
            fault, count = self.faults[index], self._counts[index]
            if count.applied < fault.whole("times", 1) and self._waited_for(index, kind, fields):
                count.applied += 1
                struck.append(index)
        return struck

    def _waited_for(self, index: int, kind: str, fields: Sequence[tuple[str, Value]]) -> bool:
        fault, count = self.faults[index], self._counts[index]
        if fault.number("at") is not None or fault.number("after_s") is not None:
            return False
        named = dict(fields)
        state = named.get("state")
        if isinstance(state, str):
            count.state = state
        if fault.word("note") not in {"", kind}:
            return False
        wanted, percent = fault.word("state"), fault.number("percent")
        if wanted and count.state.casefold() != wanted.casefold():
            return False
        if percent is None:
            return not wanted or state is not None
        reached = percent_of(named)
        return reached is not None and reached >= percent

    def idle(self) -> tuple[str, ...]:
        """Return the texts of the faults the run began with that never happened so far."""
        count = len(self.ordered)
        pairs = zip(self.ordered, self._counts[:count], strict=True)
        return tuple(fault.text for fault, seen in pairs if not seen.applied)

    def dump(self) -> list[list[int | str]]:
        """Return the counts, fault by fault; their chance is dumped with the run's."""
        return [
            [count.seen, count.applied, count.state, int(count.ended), fault.text]
            for fault, count in zip(self.faults, self._counts, strict=True)
        ]

    def load(self, counts: Sequence[Sequence[int | str]]) -> None:
        """Put the counts back, and what was put into force at run time.

        Raises:
            ValueError: ``counts`` belong to another row of faults.
        """
        texts = [str(row[4]) for row in counts]
        known = [fault.text for fault in self.ordered]
        if texts[: len(known)] != known:
            raise ValueError("the stored state belongs to a run with other faults")
        self._begin()
        for text in texts[len(known) :]:
            self.add(parse(text))
        self._counts = [
            _Count(int(seen), int(applied), str(state), bool(ended))
            for seen, applied, state, ended, _text in counts
        ]
        self._forget_ended()


def percent_of(fields: Mapping[str, Value]) -> float | None:
    """Return how much of an image a note says is there: ``percent``, or ``offset`` of ``size``."""
    percent, offset, size = fields.get("percent"), fields.get("offset"), fields.get("size")
    if isinstance(percent, int):
        return float(percent)
    if isinstance(offset, int) and isinstance(size, int) and size > 0:
        return 100.0 * offset / size
    return None
