"""Long messages in fragments, on the host's side of a dongle: both ways, without input or output.

Why of our own: bellows has no outgoing fragmentation, and its reassembly reads the arguments of
v13 and earlier wherever it is, so that on v14 and later it delivers nothing and acknowledges to a
node that is none (reference zigbee-dongle.md 1.3-4). This one serves every version alike: a driver
takes fragments from the octets before bellows sees them, and acknowledges with ``sendReply``.

Fragments out: `split`, then one ``sendUnicast`` a fragment with option 0x8000, the group
``count << 8 | index``, all with the APS counter of the first, each after the acknowledgement of
the one before (a window of one).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from hil.zigbee.messages import Incoming

#: Fragments of one message: their number is one octet.
MAX_FRAGMENTS: Final = 255
#: Until a message of which a part is missing is forgotten, seconds. Source: known (as EmberZNet).
PATIENCE_S: Final = 10.0
#: How long a whole message is remembered, so that repeats of its parts are acknowledged only.
#: Source: invented; as long as all repeats of one fragment take.
REMEMBERED_S: Final = 10.0
#: Longest message that is put together, octets. Source: invented (twice a GBCS message).
MAX_OCTETS: Final = 16_384


def split(payload: bytes, most: int) -> tuple[bytes, ...]:
    """Return a message in pieces of at most ``most`` octets; one piece where it fits."""
    if len(payload) <= most:
        return (payload,)
    return tuple(payload[at : at + most] for at in range(0, len(payload), most))


def group_of(index: int, count: int) -> int:
    """Return the group field of a fragment: its count is in the first alone, and harmless after.

    Source:
        reference zigbee-dongle.md 1.3-4.
    """
    return count << 8 | index


_Key = tuple[int, int, int, int]


@dataclass(slots=True)
class _Partial:
    """A message of which parts have come."""

    count: int
    due: float
    parts: dict[int, bytes] = field(default_factory=dict)
    octets: int = 0


class Reassembler:
    """Puts fragments together; nothing of a sender who stops is kept for long."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Take a clock of seconds."""
        self._clock = clock
        self._partial: dict[_Key, _Partial] = {}
        self._whole: dict[_Key, tuple[float, bytes]] = {}

    def take(self, part: Incoming) -> tuple[bool, bytes | None]:
        """Take a fragment.

        Returns:
            Whether it is to be acknowledged, and the message if it is whole now.
        """
        now = self._clock()
        self._forget(now)
        key = (part.sender, part.sequence, part.profile, part.cluster)
        index, count = part.group & 0xFF, part.group >> 8
        known = self._whole.get(key)
        if known is not None and (index or known[1] == part.payload):
            return True, None
        self._whole.pop(key, None)
        held = self._partial.get(key)
        if held is None:
            held = self._partial[key] = _Partial(count if index == 0 else 0, now + PATIENCE_S)
        elif index == 0 and count:
            held.count = count
        if held.octets + len(part.payload) > MAX_OCTETS or index >= (held.count or MAX_FRAGMENTS):
            del self._partial[key]
            return False, None
        if index not in held.parts:
            held.parts[index] = part.payload
            held.octets += len(part.payload)
        held.due = now + PATIENCE_S
        if not held.count or len(held.parts) < held.count:
            return True, None
        del self._partial[key]
        self._whole[key] = (now + REMEMBERED_S, held.parts[0])
        return True, b"".join(held.parts[number] for number in range(held.count))

    def _forget(self, now: float) -> None:
        for key in [key for key, held in self._partial.items() if held.due <= now]:
            del self._partial[key]
        for key in [key for key, (due, _first) in self._whole.items() if due <= now]:
            del self._whole[key]
