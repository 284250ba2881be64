"""Who is where on the HAN: EUI-64, short address and endpoint."""

from collections.abc import Iterable
from dataclasses import dataclass

from emulator.core.ids import Eui64
from emulator.core.values import quick


@quick
@dataclass(frozen=True, slots=True)
class Place:
    """Where an application of the HAN is reached.

    Attributes:
        eui64: Its identifier; CHF and GPF have one each and share a node.
        short: Short address of its node, 16 bits; the hub, as coordinator, has 0.
        endpoint: Its endpoint on that node, 1 to 240.
    """

    eui64: Eui64
    short: int
    endpoint: int


class AddressBook:
    """All places of one HAN, found by either name."""

    def __init__(self, pan_id: int, places: Iterable[Place]) -> None:
        self.pan_id = pan_id
        self._by_eui64: dict[bytes, Place] = {}
        self._by_address: dict[tuple[int, int], Place] = {}
        for place in places:
            self._by_eui64[place.eui64.octets] = place
            self._by_address[place.short, place.endpoint] = place

    def find(self, eui64: Eui64) -> Place | None:
        """Return where that application is, or None."""
        return self._by_eui64.get(eui64.octets)

    def at(self, short: int, endpoint: int) -> Place | None:
        """Return what application is there, or None."""
        return self._by_address.get((short, endpoint))

    def of_node(self, short: int) -> tuple[Place, ...]:
        """Return the applications of one node, in the order they were given."""
        return tuple(place for place in self._by_eui64.values() if place.short == short)
