"""The octets of a home with an emulated hub: of its world's frames, of the joiner's, and beacons.

Frames between the home's other devices leave their world in clear; here they are sealed as they
would be, under link keys that are drawn, not agreed on (stand-in). A sleeping device's data request
is added in front of what it fetches.
"""

from collections.abc import Mapping
from typing import Any, Final

from emulator.codecs.zigbee import quick
from emulator.codecs.zigbee.aps import PROFILE_SMART_ENERGY
from emulator.codecs.zigbee.nwk_commands import Link
from emulator.codecs.zigbee.zdo import Capability
from emulator.core.chance import Stream
from emulator.core.effects import Note
from emulator.core.ids import Eui64
from emulator.han.medium import LINK
from emulator.ncp.air_octets import AirOctets, Said, UnwritableFrameError
from emulator.ncp.hub_joining import HubRadio, Tell
from emulator.ncp.link_key_rule import OPEN
from emulator.ncp.radio_frames import Announcement, DataFrame, RadioFrame
from emulator.runtime.air_tap import AirTap
from emulator.runtime.border import COMMENT
from emulator.runtime.records import Seen

#: How often a coordinator tells of its neighbours, in milliseconds of the radio.
#: Source: known (Zigbee specification, nwkLinkStatusPeriod of 15 s).
LINK_STATUS_MS: Final = 15_000
#: Cost of a link within a home: the best there is. Source: known (1 to 7).
_COST: Final = 1
_HUB: Final = 0x0000


class HomeAir:
    """Writes what is on the air, while anybody wants it.

    Attributes:
        tap: Who wants it.
    """

    def __init__(self, radio: HubRadio, seed: int, tap: AirTap, dongle: Eui64, tell: Tell) -> None:
        """Take the home's radios, the seed of its link keys, who listens, and the dongle."""
        self.tap = tap
        self._radio = radio
        self._tell = tell
        self._dongle = dongle
        shown = Announcement(
            radio.eui64, radio.pan_id, radio.channel, False, radio.eui64, radio.network_key
        )
        self._octets = AirOctets(shown)
        self._sleepers: set[int] = set()
        self._keys: dict[int, bytes] = {}
        self._links: tuple[Link, ...] = ()
        self._status_ms: int | None = None
        for node in radio.nodes:
            self._introduce(node.described.eui64, node.short, node.described.node.capability, seed)

    def _introduce(self, eui64: Eui64, short: int, capability: int, seed: int) -> None:
        self._octets.know(eui64, short)
        if short == _HUB:
            return
        self._keys[short] = Stream(seed, f"han/link-key/{eui64.hex}").octets(16)
        if not capability & Capability.RECEIVER_ON_WHEN_IDLE:
            self._sleepers.add(short)
        if capability & Capability.FULL_FUNCTION:
            self._links = (*self._links, Link(short, _COST, _COST))

    @property
    def link_keys(self) -> Mapping[int, bytes]:
        """Link keys of the home's other devices, by short address."""
        return self._keys

    @property
    def deadline(self) -> int | None:
        """When there is something to write, in milliseconds of the NCP; None: never."""
        if not self.tap.wanted:
            return None
        return self._status_ms if self._status_ms is not None else 0

    def tick(self, now: int, network: Announcement) -> None:
        """Write a link status when one is due."""
        if not self.tap.wanted:
            self._status_ms = None
        elif self._status_ms is None or now >= self._status_ms:
            self._status_ms = now + LINK_STATUS_MS
            self._octets.network = network
            self._put([self._octets.link_status(self._links)], now)

    def beacon(self, now: int, network: Announcement, *, asked_by: Eui64 | None) -> None:
        """Write a beacon, and who asked for it."""
        if not self.tap.wanted:
            return
        self._octets.network = network
        asked = [] if asked_by is None else [self._octets.beacon_request(asked_by)]
        self._put([*asked, self._octets.beacon()], now)

    def write(self, frame: RadioFrame, now: int, *, taken: bool, pending: bool = False) -> None:
        """Write a frame between the hub's radio and the dongle.

        Args:
            frame: The frame.
            now: When, in milliseconds of the NCP.
            taken: Whether its receiver's radio has acknowledged it.
            pending: Of a poll: whether something waits for who asks.
        """
        if not self.tap.wanted:
            return
        try:
            self._put(self._octets.write(frame, taken=taken, pending=pending), now)
        except UnwritableFrameError as error:
            fields = (("frame", type(frame).__name__), ("why", str(error)))
            self._tell(Note("han_frame_unwritten", fields))

    def reseal(self, seen: Seen, now: int) -> None:
        """Write a frame that crossed the home's world."""
        if seen.link != LINK or seen.comment.startswith(COMMENT):
            return
        found = quick.decode(seen.octets)
        if found is None:
            return  # a fault has spoilt it: no receiver would know it either
        _pan_id, _outer, to, source, inner = found
        key = None
        if _HUB in {to, source} and inner.profile == PROFILE_SMART_ENERGY:
            key = None if inner.cluster in OPEN else self._keys.get(to or source)
        if to in self._sleepers and self.tap.wanted:
            self._put(self._octets.fetch(to), now)
        self.write(DataFrame(source, to, inner, self._radio.network_key, key), now, taken=True)

    def raw(self, packet: bytes, now: int, channel: int) -> None:
        """Take octets that the dongle's host has composed itself."""
        self.tap.put([Said(self._dongle, packet)], now, channel, self._dongle)

    def _put(self, said: list[Said], now: int) -> None:
        self.tap.put(said, now, self._radio.channel, self._dongle)

    def dump(self) -> dict[str, Any]:
        """Return the frame counters: none may be used twice."""
        return self._octets.dump()

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over a ``dump``."""
        self._octets.load(state)
