"""The receiving half of a node's application support layer: duplicates and fragments."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from emulator.codecs.zigbee.aps import ACK_WINDOW_BLOCKS, ApsAck, ApsFrame, FragmentAck
from emulator.core.effects import Note
from emulator.core.values import quick
from emulator.han.aps_sender import DUPLICATE_MEMORY_US, unforgotten
from emulator.han.outputs import Micros, StartTimer, StopTimer

#: How long a receiver waits for the next block before it throws the others away.
#: Source: invented; longer than all repeats of a block take.
REASSEMBLY_WAIT_US: Final = 10_000_000
#: Counters of unacknowledged frames remembered for each sender.
#: Source: invented.
PLAIN_MEMORY: Final = 16
#: Transfers remembered for each sender, however short the time they took: a counter has eight
#: bits, and a fast sender soon gives an old one to a new transfer. Source: invented; more than a
#: sender has on its way at one time.
TAKEN_MEMORY: Final = 64
#: Received bits of a window of one block.
_ALL_BEHIND: Final = (1 << ACK_WINDOW_BLOCKS) - 1


@quick
@dataclass(frozen=True, slots=True)
class Whole:
    """A ZCL frame that has arrived, once."""

    frame: ApsFrame
    payload: bytes


ReceiverOutput = ApsAck | Whole | StartTimer | StopTimer | Note


@dataclass(slots=True)
class _Assembly:
    """Blocks of one transfer that have arrived; they arrive in order (window 1)."""

    total: int
    blocks: list[bytes]


@dataclass(slots=True)
class ApsReceiver:
    """What a node has lately received, so that nothing reaches an application twice."""

    _taken: dict[int, dict[int, Micros]] = field(default_factory=dict)
    #: The last counters of each sender, an octet each, oldest first.
    _plain: dict[int, bytes] = field(default_factory=dict)
    _assemblies: dict[tuple[int, int], _Assembly] = field(default_factory=dict)

    def take(self, source: int, frame: ApsFrame, now_us: Micros) -> list[ReceiverOutput]:
        """Take a data frame for an endpoint of this node.

        Returns:
            Acknowledgements (`ApsAck`), `Whole` when a ZCL frame is complete, timers and notes.
        """
        if frame.fragment is not None:
            return self._take_fragment(source, frame, now_us)
        if not frame.ack_request:
            return self._take_plain(source, frame)
        if self.seen(source, frame.counter, now_us):
            return [ack_of(frame), duplicate(source, frame)]
        return [ack_of(frame), Whole(frame, frame.payload)]

    def expire(self, source: int, counter: int) -> list[Note]:
        """The next block has not come: throw the others away."""
        assembly = self._assemblies.pop((source, counter), None)
        if assembly is None:
            return []
        return [
            Note(
                "han_reassembly_timed_out",
                (
                    ("from_short", source),
                    ("blocks", len(assembly.blocks)),
                    ("of", assembly.total),
                ),
            )
        ]

    def forget(self) -> None:
        """Lose everything: none of it is kept without power."""
        self._taken.clear()
        self._plain.clear()
        self._assemblies.clear()

    def forget_pieces(self) -> list[StopTimer]:
        """Drop what has arrived in part; the memory of duplicates is kept."""
        stopped = [
            StopTimer(f"reassembly/{source}/{counter}") for source, counter in self._assemblies
        ]
        self._assemblies.clear()
        return stopped

    def _take_plain(self, source: int, frame: ApsFrame) -> list[ReceiverOutput]:
        memory = self._plain.get(source, b"")
        if frame.counter in memory:
            return [duplicate(source, frame)]
        self._plain[source] = memory[1 - PLAIN_MEMORY :] + bytes((frame.counter,))
        return [Whole(frame, frame.payload)]

    def _take_fragment(self, source: int, frame: ApsFrame, now_us: Micros) -> list[ReceiverOutput]:
        fragment = frame.fragment
        if fragment is None or not frame.ack_request:
            return [Note("han_frame_discarded", (("why", "a fragment that asks for no ack"),))]
        key = (source, frame.counter)
        number = fragment.number
        assembly = self._assemblies.get(key)
        if assembly is None and self._remembers(source, frame.counter, now_us):
            self.seen(source, frame.counter, now_us)
            return [ack_of(frame, number), duplicate(source, frame)]
        if assembly is None and fragment.first:
            assembly = self._assemblies[key] = _Assembly(fragment.block, [])
        if assembly is None or number > len(assembly.blocks) or number >= assembly.total:
            why = "a later fragment of a transfer whose earlier ones are not here"
            return [Note("han_frame_discarded", (("why", why), ("from_short", source)))]
        if number < len(assembly.blocks):
            return [ack_of(frame, number), duplicate(source, frame)]
        assembly.blocks.append(frame.payload)
        timer = f"reassembly/{source}/{frame.counter}"
        if len(assembly.blocks) < assembly.total:
            return [ack_of(frame, number), StartTimer(timer, now_us + REASSEMBLY_WAIT_US)]
        del self._assemblies[key]
        self.seen(source, frame.counter, now_us)
        whole = Whole(frame, b"".join(assembly.blocks))
        return [ack_of(frame, number), StopTimer(timer), whole]

    def seen(self, source: int, counter: int, now_us: Micros) -> bool:
        """Remember a transfer; say whether it was remembered already."""
        memory = self._taken.get(source)
        if memory is None:
            memory = self._taken[source] = {}
        at = memory.pop(counter, None)  # the latest stands at the end
        memory[counter] = now_us
        if len(memory) > TAKEN_MEMORY:
            del memory[next(iter(memory))]
        return at is not None and now_us - at <= DUPLICATE_MEMORY_US

    def _remembers(self, source: int, counter: int, now_us: Micros) -> bool:
        at = self._taken.get(source, {}).get(counter)
        return at is not None and now_us - at <= DUPLICATE_MEMORY_US

    def dump(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {
            "taken": [
                [source, counter, at]
                for source, memory in self._taken.items()
                for counter, at in unforgotten(memory)
            ],
            "plain": [[source, list(memory)] for source, memory in self._plain.items()],
            "assemblies": [
                [source, counter, assembly.total, list(assembly.blocks)]
                for (source, counter), assembly in self._assemblies.items()
            ],
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Put everything back."""
        self._taken = {}
        for source, counter, at in state["taken"]:
            self._taken.setdefault(source, {})[counter] = at
        self._plain = {source: bytes(memory[-PLAIN_MEMORY:]) for source, memory in state["plain"]}
        self._assemblies = {
            (source, counter): _Assembly(total, list(blocks))
            for source, counter, total, blocks in state["assemblies"]
        }


def ack_of(frame: ApsFrame, block: int | None = None) -> ApsAck:
    """Acknowledge a frame, or one block of it: a window of one, all bits behind it set."""
    fragments = None if block is None else FragmentAck(block, _ALL_BEHIND)
    return ApsAck(
        frame.source_endpoint,
        frame.destination_endpoint,
        frame.cluster,
        frame.counter,
        frame.profile,
        fragments,
    )


def duplicate(source: int, frame: ApsFrame) -> Note:
    """Return the note that a frame has come before."""
    return Note(
        "han_duplicate_dropped",
        (("from_short", source), ("cluster", frame.cluster), ("counter", frame.counter)),
    )
