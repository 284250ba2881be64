"""Who can open a device, asked of the device itself: HLS-GMAC associations, real octets."""

from dataclasses import dataclass
from typing import Final

from harness.meter import Association, Credentials, Silence
from harness.ports import MeterPort

#: Kinds of silence in which the device said nothing at all.
_NOTHING: Final = frozenset({Silence.NO_ANSWER, Silence.LINK_LOST, Silence.ABORTED})
#: How often a device that does not answer is asked. Source: invented.
_TRIES: Final = 2


def answered(association: Association) -> bool:
    """Say whether the device said anything to a wish to associate, be it a refusal."""
    return association.accepted or association.silence not in _NOTHING


async def opens(port: MeterPort, credentials: Credentials) -> bool | None:
    """Say whether a device associates with these credentials; None: it does not answer."""
    for _try in range(_TRIES):
        association = await port.associate(credentials)
        await port.release()
        if answered(association):
            return association.accepted
    return None


@dataclass(frozen=True, slots=True)
class Proof:
    """What two associations showed.

    Attributes:
        wanted: Whether the key that is to open the device does; None: no answer.
        other: Whether the key that is not to open it does; None: no answer, or not asked.
    """

    wanted: bool | None
    other: bool | None = None

    @property
    def holds(self) -> bool:
        """Whether one key opens the device and the other is refused."""
        return self.wanted is True and self.other is False

    @property
    def silent(self) -> bool:
        """Whether the device did not answer."""
        return self.wanted is None


async def prove(port: MeterPort, wanted: Credentials, other: Credentials) -> Proof:
    """Ask a device with the key that is to open it, then with the one that is not."""
    first = await opens(port, wanted)
    if first is None:
        return Proof(None)
    return Proof(first, await opens(port, other))
