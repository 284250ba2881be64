"""The sending half of a node's application support layer: counters, fragments, repeats."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from emulator.codecs.zigbee import aps
from emulator.codecs.zigbee.aps import ApsAck, ApsFrame, Fragment
from emulator.core.effects import Note
from emulator.core.values import quick
from emulator.han.labels import is_answer
from emulator.han.outputs import Micros, Settled, StartTimer, StopTimer

#: How long a node waits for an acknowledgement (apscAckWaitDuration).
#: Source: known (Zigbee specification, table of APS constants: about 1.6 s).
ACK_WAIT_US: Final = 1_600_000
#: Repeats of one block before its transfer fails (apscMaxFrameRetries).
#: Source: known (Zigbee specification, table of APS constants).
MAX_REPEATS: Final = 3
#: How long a receiver remembers a transfer it has taken.
#: Source: invented; longer than all repeats of a block take.
DUPLICATE_MEMORY_US: Final = 20_000_000
#: Counters at and above this one are for acknowledged transfers; those below are for all others,
#: counted for each receiver, so that a stream of blocks never wraps onto a counter that a receiver
#: still remembers.
#: Source: invented; to a receiver a counter is an opaque octet.
FIRST_ACKED_COUNTER: Final = 128
#: How many counters there are for acknowledged transfers.
_SPAN: Final = 256 - FIRST_ACKED_COUNTER
#: Acknowledged transfers to one node that wait at one time. Source: invented (a peer that asks and
#: never acknowledges cannot fill the memory).
MAX_TRANSFERS: Final = 64
#: Blocks of one transfer: their number is one octet. Source: `codecs.zigbee.aps`.
MAX_BLOCKS: Final = 255


@quick
@dataclass(frozen=True, slots=True)
class Outgoing:
    """An APS frame that its node is to put into NWK and MAC frames.

    Attributes:
        to: Short address of the receiver.
        frame: The APS frame.
        label: What it is, for faults and captures.
    """

    to: int
    frame: ApsFrame | ApsAck
    label: str


SenderOutput = Outgoing | StartTimer | StopTimer | Settled | Note
#: The same, where something else stands for `Outgoing`: what the sender's ``put`` makes of a frame.
Outputs = list[Any]


@dataclass(slots=True)
class Transfer:
    """An acknowledged transfer on its way.

    Attributes:
        to: Short address of the receiver.
        endpoints: Destination and source endpoint.
        cluster: Cluster identifier.
        counter: APS counter of all its blocks; -1 until it starts.
        blocks: The ZCL frame, in pieces that fit a frame.
        label: What it is.
        handle: Number its owner gave it; 0 when nobody waits for the outcome.
        at_block: Block on its way.
        tries: How often that block went on the air.
    """

    to: int
    endpoints: tuple[int, int]
    cluster: int
    blocks: tuple[bytes, ...]
    label: str
    handle: int
    counter: int = -1
    at_block: int = 0
    tries: int = 0

    @property
    def whole_sent(self) -> int:
        """How often the last block went on the air."""
        return self.tries if self.at_block == len(self.blocks) - 1 else 0


@dataclass(slots=True)
class ApsSender:
    """Transfers of one node: one on its way to each receiver, the others behind it.

    Attributes:
        max_apdu_bytes: Longest payload of one frame; longer ones go in fragments.
        put: Makes of receiver, frame and label what stands among the outputs for a frame that is
            to go out, in the order they go out.
    """

    max_apdu_bytes: int
    put: Callable[[int, ApsFrame | ApsAck, str], Any] = Outgoing
    _plain_counters: dict[int, int] = field(default_factory=dict)
    _acked_counter: int = FIRST_ACKED_COUNTER
    _counter_used: dict[int, Micros] = field(default_factory=dict)
    _queues: dict[int, list[Transfer]] = field(default_factory=dict)

    def send_plain(
        self, to: int, endpoints: tuple[int, int], cluster: int, payload: bytes, label: str
    ) -> Any:
        """Return the one frame of a transfer that asks for no acknowledgement.

        Args:
            to: Short address of the receiver.
            endpoints: Destination and source endpoint.
            cluster: Cluster identifier.
            payload: A ZCL frame of at most ``max_apdu_bytes``.
            label: What it is.
        """
        counter = self._plain_counters.get(to, 0)
        self._plain_counters[to] = (counter + 1) % FIRST_ACKED_COUNTER
        destination, source = endpoints
        return self.put(to, ApsFrame(destination, source, cluster, counter, payload), label)

    def send_acked(self, transfer: Transfer, now_us: Micros) -> Outputs:
        """Take a transfer; it starts when those before it to the same node have ended.

        What answers a request stands before what waits unasked: a row of reports to an endpoint
        that does not exist takes minutes to fail, and whoever reads an attribute waits for seconds.
        One that is too long, or finds too many before it, fails at once and never goes on the air.
        """
        queue = self._queues.get(transfer.to)
        if queue is None:
            queue = self._queues[transfer.to] = []
        blocks = len(transfer.blocks)
        if not queue and blocks <= MAX_BLOCKS:
            queue.append(transfer)
            return self._start(transfer, now_us)
        full = len(queue) >= MAX_TRANSFERS
        if full or blocks > MAX_BLOCKS:
            why = ("why", "queue full" if full else "too long")
            fields = (why, ("frame", transfer.label), ("to_short", transfer.to), ("blocks", blocks))
            refused = Note("han_transfer_refused", fields)
            return [refused, *([Settled(transfer.handle, False, 0)] if transfer.handle else [])]
        queue.insert(_place_of(transfer, queue), transfer)
        return []

    def split(self, payload: bytes) -> tuple[bytes, ...]:
        """Return a ZCL frame in pieces of at most ``max_apdu_bytes``."""
        step = self.max_apdu_bytes
        if len(payload) <= step:
            return (payload,)
        return tuple(payload[at : at + step] for at in range(0, len(payload), step))

    def acknowledged(self, source: int, ack: ApsAck, now_us: Micros) -> Outputs:
        """Take an acknowledgement; one that fits nothing on its way is ignored."""
        queue = self._queues.get(source)
        if not queue or not _fits(queue[0], ack):
            return []
        transfer = queue[0]
        if transfer.at_block + 1 < len(transfer.blocks):
            transfer.at_block += 1
            transfer.tries = 0
            return self._put_block(transfer, now_us)
        return self._settle(transfer, now_us, delivered=True)

    def expire(self, short: int, now_us: Micros) -> Outputs:
        """The acknowledgement of the transfer to ``short`` has not come: repeat it, or give up."""
        queue = self._queues.get(short)
        if not queue:
            return []
        transfer = queue[0]
        if transfer.tries <= MAX_REPEATS:
            return self._put_block(transfer, now_us)
        failed = Note(
            "han_transfer_failed",
            (
                ("frame", transfer.label),
                ("to_short", transfer.to),
                ("block", transfer.at_block),
                ("blocks", len(transfer.blocks)),
            ),
        )
        return [failed, *self._settle(transfer, now_us, delivered=False)]

    def cancel(self, handle: int, now_us: Micros) -> Outputs:
        """Give up the transfer with this handle, running or waiting."""
        for queue in self._queues.values():
            for transfer in queue:
                if transfer.handle == handle:
                    return self._settle(transfer, now_us, delivered=False)
        return []

    def forget(self) -> list[StopTimer]:
        """Drop all transfers, without a word to their owners; counters are kept."""
        stopped = [StopTimer(_timer(to)) for to, queue in self._queues.items() if queue]
        self._queues.clear()
        return stopped

    def _start(self, transfer: Transfer, now_us: Micros) -> Outputs:
        transfer.counter = self._draw_counter(now_us)
        return self._put_block(transfer, now_us)

    def _draw_counter(self, now_us: Micros) -> int:
        """Return the next counter that no receiver can remember, or the one used longest ago.

        It is noted as in use when its first block goes out.
        """
        counter = self._acked_counter  # nearly always the one: a look at all others costs more
        if counter in self._counter_used and not self._is_forgotten(counter, now_us):
            first = counter - FIRST_ACKED_COUNTER
            row = [FIRST_ACKED_COUNTER + (first + step) % _SPAN for step in range(_SPAN)]
            forgotten = (one for one in row if self._is_forgotten(one, now_us))
            longest_ago = min(row, key=lambda used: self._counter_used.get(used, 0))
            counter = next(forgotten, longest_ago)
        self._acked_counter = counter + 1 if counter < 0xFF else FIRST_ACKED_COUNTER
        return counter

    def _use(self, counter: int, now_us: Micros) -> None:
        """Note that a counter is in use; the latest stands at the end."""
        self._counter_used.pop(counter, None)
        self._counter_used[counter] = now_us

    def _is_forgotten(self, counter: int, now_us: Micros) -> bool:
        used = self._counter_used.get(counter)
        return used is None or now_us - used > DUPLICATE_MEMORY_US

    def _put_block(self, transfer: Transfer, now_us: Micros) -> Outputs:
        transfer.tries += 1
        self._use(transfer.counter, now_us)
        total, at = len(transfer.blocks), transfer.at_block
        fragment = None if total == 1 else Fragment(at == 0, total if at == 0 else at)
        to, (destination, source) = transfer.to, transfer.endpoints
        frame = ApsFrame(
            destination,
            source,
            transfer.cluster,
            transfer.counter,
            transfer.blocks[at],
            aps.PROFILE_SMART_ENERGY,
            True,
            fragment,
        )
        wait = StartTimer(_timer(to), now_us + ACK_WAIT_US)
        return [self.put(to, frame, transfer.label), wait]

    def _settle(self, transfer: Transfer, now_us: Micros, *, delivered: bool) -> Outputs:
        to = transfer.to
        queue = self._queues[to]
        running = queue[0] is transfer
        outputs: Outputs = []
        if running:
            del queue[0]
            outputs.append(StopTimer(_timer(to)))
        else:
            queue.remove(transfer)
        if transfer.handle:
            outputs.append(Settled(transfer.handle, delivered, transfer.whole_sent))
        if running and queue:
            outputs += self._start(queue[0], now_us)
        return outputs

    def dump(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {
            "plain": [[to, counter] for to, counter in self._plain_counters.items()],
            "acked": self._acked_counter,
            "used": [[counter, at] for counter, at in unforgotten(self._counter_used)],
            "queues": [
                [short, [_dump_transfer(transfer) for transfer in queue]]
                for short, queue in self._queues.items()
            ],
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Put everything back."""
        self._plain_counters = {to: counter for to, counter in state["plain"]}  # noqa: C416 - pairs
        self._acked_counter = state["acked"]
        self._counter_used = {counter: at for counter, at in state["used"]}  # noqa: C416 - typed as pairs
        self._queues = {
            short: [_load_transfer(row) for row in rows] for short, rows in state["queues"]
        }


def unforgotten(memory: Mapping[int, Micros]) -> list[tuple[int, Micros]]:
    """Return those of some counters that were remembered still when the last one was noted.

    Args:
        memory: Counter -> when it was noted, the latest at the end.
    """
    last_us = max(memory.values(), default=0)
    return [(one, at) for one, at in memory.items() if last_us - at <= DUPLICATE_MEMORY_US]


@lru_cache(maxsize=256)
def _timer(to: int) -> str:
    """Return the name of the timer that waits for the acknowledgement of a node."""
    return f"ack/{to}"


def _place_of(transfer: Transfer, queue: Sequence[Transfer]) -> int:
    """Return where a transfer waits: answers behind the one on its way and behind each other."""
    if not is_answer(transfer.label):
        return len(queue)
    behind = range(1, len(queue))
    return next((at for at in behind if not is_answer(queue[at].label)), len(queue))


def _fits(transfer: Transfer, ack: ApsAck) -> bool:
    if ack.counter != transfer.counter or ack.cluster != transfer.cluster:
        return False
    if (ack.source_endpoint, ack.destination_endpoint) != transfer.endpoints:
        return False
    window = ack.fragments
    if len(transfer.blocks) == 1:
        return window is None
    return (
        window is not None and window.window_start == transfer.at_block and window.received & 1 == 1
    )


def _dump_transfer(transfer: Transfer) -> list[Any]:
    return [
        transfer.to, list(transfer.endpoints), transfer.cluster, list(transfer.blocks),
        transfer.label, transfer.handle, transfer.counter, transfer.at_block, transfer.tries,
    ]  # fmt: skip


def _load_transfer(row: Sequence[Any]) -> Transfer:
    to, endpoints, cluster, blocks, label, handle, counter, at_block, tries = row
    destination, source = endpoints
    return Transfer(
        to, (destination, source), cluster, tuple(blocks), label, handle, counter, at_block, tries
    )
