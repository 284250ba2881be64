"""What a bench file says of a dongle that is the hub."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from emulator.codecs.zcl.key_establishment import KeySuite
from emulator.codecs.zigbee.zdo import SimpleDescriptor
from emulator.core.ids import Eui64
from emulator.crypto.ecqv import Credentials
from hil.tap import Tap
from hil.zigbee.settings import DongleSettings

#: Who computes key establishment: the dongle, this computer, or nobody.
Cbke = Literal["ncp", "host"] | None


def _nothing(_eui64: Eui64) -> Mapping[KeySuite, Credentials]:
    return {}


@dataclass(frozen=True, slots=True)
class HubSettings:
    """A hub on a dongle.

    Attributes:
        dongle: Its line.
        endpoints: Of the hub: its CHF's first, then its GPF's; none of them is 1.
        cbke: Who computes key establishment; None: whoever joins keeps the key it came with.
        credentials: Gives what the dongle's address proves itself with (for ``host``); of a test
            authority.
        seed: Seed of the run: network key, PAN identifier and ephemeral keys come from it.
        tap: Who hears every octet of the line.
        database: Where zigpy keeps devices, or None.
        interviews: Whether zigpy interviews who joins.
        replaces: Whether a network that is not this hub's is left for good, on the word of
            whoever owns the bench.
        reopen_s: How long a lost dongle may be away, seconds.
    """

    dongle: DongleSettings
    endpoints: tuple[SimpleDescriptor, ...]
    cbke: Cbke = None
    credentials: Callable[[Eui64], Mapping[KeySuite, Credentials]] = field(
        default=_nothing, repr=False
    )
    seed: int = 1
    tap: Tap | None = None
    database: Path | None = None
    interviews: bool = False
    replaces: bool = False
    reopen_s: float = 600.0
