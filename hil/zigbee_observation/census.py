"""Who is on the air: networks by their beacons, energy by channel."""

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from emulator.core.ids import Eui64
from harness.han_ports import HanNetwork
from hil.zigbee_observation.sights import Kind, Sight

#: Channels of the 2.4 GHz band.
CHANNELS: Final = tuple(range(11, 27))
_ZIGBEE: Final = 0
_PERMITS: Final = 0x8000
_GTS_COUNT: Final = 0x07
_GTS_ROW_BYTES: Final = 3


@dataclass(frozen=True, slots=True)
class Census:
    """What a look around found.

    Attributes:
        channels: Channels looked at, in order.
        networks: Networks by their beacons; of several beacons of one, the strongest.
        energy: Most energy heard on each channel, dBm; nothing where it was not measured.
        hub: The hub asked for, by its EUI-64.
        scanned: Whether beacons were asked for; else only those that others asked for were heard.
    """

    channels: tuple[int, ...]
    networks: tuple[HanNetwork, ...]
    energy: Mapping[int, int] = field(default_factory=dict)
    hub: Eui64 | None = None
    scanned: bool = True

    @property
    def found(self) -> tuple[HanNetwork, ...]:
        """The networks of the hub asked for: those with its EUI-64 as extended PAN id."""
        return tuple(one for one in self.networks if one.extended_pan_id == self.hub)

    def row(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "channels": list(self.channels),
            "scanned": self.scanned,
            "hub": None if self.hub is None else str(self.hub),
            "hub_found": None if self.hub is None else bool(self.found),
            "networks": [_network_row(one, self.hub) for one in self.networks],
            "energy_dbm": {str(channel): dbm for channel, dbm in self.energy.items()},
        }


def strongest(networks: Iterable[HanNetwork]) -> tuple[HanNetwork, ...]:
    """Return one beacon of each network, the strongest, by channel and strength.

    A network is told apart by extended PAN id, PAN id and channel: two hubs that claim one
    extended PAN id are two rows. It permits joining where any of its routers does.
    """
    kept: dict[tuple[Eui64, int, int], HanNetwork] = {}
    for one in networks:
        key = one.extended_pan_id, one.pan_id, one.channel
        known = kept.get(key)
        if known is None:
            kept[key] = one
            continue
        best = max(known, one, key=lambda heard: (heard.rssi_dbm, heard.lqi))
        permits = known.permits or one.permits
        kept[key] = HanNetwork(*key, permits, best.lqi, best.rssi_dbm)
    rows = kept.values()
    return tuple(sorted(rows, key=lambda one: (one.channel, -one.rssi_dbm, one.pan_id)))


def most_energy(results: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Return the most energy of each channel, from (channel, dBm) in any order."""
    found: dict[int, int] = {}
    for channel, dbm in results:
        found[channel] = max(dbm, found.get(channel, dbm))
    return dict(sorted(found.items()))


def beacon_of(sight: Sight, channel: int, lqi: int = 0, rssi_dbm: int = 0) -> HanNetwork | None:
    """Return the network a heard beacon tells of; None for another frame or another protocol's.

    Source:
        IEEE 802.15.4-2006 7.2.2.1 (superframe, GTS and pending-address fields); Zigbee 3.6.7
        (beacon payload).
    """
    if sight.kind is not Kind.BEACON or sight.pan is None:
        return None
    body = sight.payload
    try:
        superframe, gts = struct.unpack_from("<HB", body)
        at = 3 + ((1 + _GTS_ROW_BYTES * (gts & _GTS_COUNT)) if gts & _GTS_COUNT else 0)
        pending = body[at]
        at += 1 + 2 * (pending & 7) + 8 * (pending >> 4 & 7)
        protocol, _profile, extended = struct.unpack_from("<BH8s", body, at)
    except (struct.error, IndexError):
        return None
    if protocol != _ZIGBEE:
        return None
    permits = bool(superframe & _PERMITS)
    return HanNetwork(Eui64(extended[::-1]), sight.pan, channel, permits, lqi, rssi_dbm)


def _network_row(one: HanNetwork, hub: Eui64 | None) -> dict[str, Any]:
    return {
        "extended_pan_id": str(one.extended_pan_id),
        "pan_id": f"0x{one.pan_id:04X}",
        "channel": one.channel,
        "permit_join": one.permits,
        "lqi": one.lqi,
        "rssi_dbm": one.rssi_dbm,
        **({} if hub is None else {"is_hub": one.extended_pan_id == hub}),
    }
