"""The frames of a HAN as octets of IEEE 802.15.4: every value of `radio_frames` written.

Whoever sees all that is said on a network, from a node's association on, can write all of it: short
addresses and link keys are learnt from the frames themselves.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from emulator.codecs.zigbee import aps_commands, beacon, mac_commands, nwk_commands
from emulator.codecs.zigbee.aps import ApsAck
from emulator.codecs.zigbee.aps_commands import ApsCommand, DeviceStatus, RequestedKey
from emulator.codecs.zigbee.aps_header import ApsCommandFrame, ApsOuter, Delivery
from emulator.codecs.zigbee.beacon import BeaconPayload
from emulator.codecs.zigbee.nwk_commands import NwkCommand
from emulator.codecs.zigbee.security import KeyId
from emulator.core.ids import Eui64
from emulator.crypto.zigbee_security import verify_hash
from emulator.ncp import radio_frames as values
from emulator.ncp.air_sealing import Hop, Sealing
from emulator.ncp.radio_frames import (
    BROADCASTS,
    LISTENING,
    NETWORK_KEY,
    NO_SHORT,
    Announcement,
    RadioFrame,
)

_COORDINATOR: Final = 0x0000
_REFUSED_SHORT: Final = 0xFFFF


class UnwritableFrameError(ValueError):
    """A frame cannot stand on the air as it is: too long, or of a node that nobody knows."""


@dataclass(frozen=True, slots=True)
class Said:
    """Octets that one node puts on the air.

    Attributes:
        sender: Who.
        octets: One MAC frame with its FCS.
    """

    sender: Eui64
    octets: bytes


@dataclass(slots=True)
class AirOctets:
    """Writes one network's frames.

    Attributes:
        network: As its coordinator shows it.
        whose: Asked for the EUI-64 of a short address that no frame has told.
    """

    network: Announcement
    whose: Callable[[int], Eui64 | None] = lambda _short: None
    _sealing: Sealing = field(init=False)
    _eui64s: dict[int, Eui64] = field(default_factory=dict)
    _shorts: dict[Eui64, int] = field(default_factory=dict)
    _link_keys: dict[Eui64, bytes] = field(default_factory=dict, repr=False)
    _rejoins: dict[Eui64, bytes | None] = field(default_factory=dict, repr=False)
    _beacons: int = 0

    def __post_init__(self) -> None:
        self._sealing = Sealing(self.network.pan_id)
        self.know(self.network.coordinator, _COORDINATOR)

    def know(self, eui64: Eui64, short: int, link_key: bytes | None = None) -> None:
        """Learn a node's short address, and its link key where it has one."""
        self._eui64s[short] = eui64
        self._shorts[eui64] = short
        if link_key is not None:
            self._link_keys[eui64] = link_key

    def write(self, frame: RadioFrame, *, taken: bool = True, pending: bool = False) -> list[Said]:
        """Return what is heard when a frame goes: itself, what fetches it, acknowledgements.

        Args:
            frame: The frame.
            taken: Whether its receiver's radio has it, and acknowledges it.
            pending: Of a poll: whether something waits for who asks.

        Raises:
            UnwritableFrameError: It cannot stand on the air.
        """
        if isinstance(frame, values.Poll):
            asked = self._fetch(self._known(frame.source), frame.source, pending=pending)
            return asked if taken else asked[:1]
        try:
            said: list[Said] = getattr(self, _WRITERS[type(frame)])(frame, taken)
        except UnwritableFrameError:
            raise
        except ValueError as error:
            raise UnwritableFrameError(str(error)) from error
        return said

    def beacon(self, *, routers: bool = True) -> Said:
        """Return the coordinator's beacon as the network is now."""
        network = self.network
        self._beacons = (self._beacons + 1) & 0xFF
        payload = beacon.encode(BeaconPayload(network.extended_pan_id, routers))
        shown = mac_commands.Beacon(
            self._beacons, network.pan_id, _COORDINATOR, network.permit, True, payload
        )
        return Said(network.coordinator, mac_commands.encode(shown))

    def beacon_request(self, sender: Eui64) -> Said:
        """Return what a scanning node sends."""
        number = self._sealing.mac_sequence(sender)
        return Said(sender, mac_commands.encode(mac_commands.BeaconRequest(number)))

    def link_status(self, links: tuple[nwk_commands.Link, ...] = ()) -> Said:
        """Return the coordinator's word on its neighbours."""
        hop = Hop(self.network.coordinator, _COORDINATOR, values.ROUTERS)
        octets = self._command(hop, nwk_commands.LinkStatus(links), self.network.network_key)
        return Said(hop.sender, octets)

    # -- parts ---------------------------------------------------------------------------------

    def _known(self, short: int) -> Eui64:
        eui64 = self._eui64s.get(short) or self.whose(short)
        if eui64 is None:
            raise UnwritableFrameError(f"nobody knows who {short:#06x} is")
        return eui64

    def _short(self, eui64: Eui64) -> int:
        short = self._shorts.get(eui64)
        if short is None:
            raise UnwritableFrameError(f"{eui64} has no short address")
        return short

    def _down(self, eui64: Eui64) -> Hop:
        """From the coordinator to a node."""
        return Hop(self.network.coordinator, _COORDINATOR, self._short(eui64), eui64)

    def _up(self, source: int, eui64: Eui64) -> Hop:
        """From a node to the coordinator."""
        self.know(eui64, source)
        return Hop(eui64, source, _COORDINATOR, self.network.coordinator)

    def _command(self, hop: Hop, command: NwkCommand, key: bytes | None) -> bytes:
        payload = nwk_commands.encode(command)
        return self._sealing.nwk(hop, payload, key, command=True, named=True)

    def _aps_command(
        self, hop: Hop, command: ApsCommand, key: bytes | None = None, key_id: KeyId = KeyId.DATA
    ) -> bytes:
        """Return the APS frame of a command."""
        frame = ApsCommandFrame(self._sealing.aps_counter(hop.sender), b"")
        payload = aps_commands.encode(command)
        return self._sealing.aps(hop.sender, frame, payload, ApsOuter(), key, key_id=key_id)

    def _commanded(
        self, hop: Hop, command: ApsCommand, key: bytes | None, taken: bool
    ) -> list[Said]:
        """Return an APS command under the network key, with what acknowledges it."""
        inner = self._aps_command(hop, command, key)
        octets = self._sealing.nwk(hop, inner, self.network.network_key)
        return self._acked(hop, octets, taken)

    def _acked(self, hop: Hop, octets: bytes, taken: bool, *, pending: bool = False) -> list[Said]:
        said = [Said(hop.sender, octets)]
        if not taken or hop.destination in BROADCASTS:
            return said
        there = hop.receiver or self._known(hop.destination)
        ack = mac_commands.encode(mac_commands.Ack(octets[2], pending))
        return [*said, Said(there, ack)]

    # -- frames --------------------------------------------------------------------------------

    def _data(self, frame: values.DataFrame, taken: bool) -> list[Said]:
        sender = self._known(frame.source)
        hop = Hop(sender, frame.source, frame.destination)
        inner, delivery = frame.frame, Delivery.UNICAST
        if frame.group is not None:
            delivery = Delivery.GROUP
        elif frame.destination in BROADCASTS:
            delivery = Delivery.BROADCAST
        if frame.link_key is not None and frame.source:
            self._link_keys[sender] = frame.link_key
        payload = b"" if isinstance(inner, ApsAck) else inner.payload
        octets = self._sealing.aps(
            sender,
            inner,
            payload,
            ApsOuter(delivery, frame.group),
            frame.link_key,
            counter=frame.link_counter,
        )
        return self._acked(hop, self._sealing.nwk(hop, octets, frame.network_key), taken)

    def _association(self, frame: values.AssociationRequest, taken: bool) -> list[Said]:
        pan_id = self.network.pan_id if frame.pan_id is None else frame.pan_id
        hop = Hop(frame.eui64, frame.short, frame.parent, self._eui64s.get(frame.parent))
        if frame.short != NO_SHORT:
            self.know(frame.eui64, frame.short)
            self._rejoins[frame.eui64] = frame.network_key
            request = nwk_commands.RejoinRequest(frame.capability)
            return self._acked(hop, self._command(hop, request, frame.network_key), taken)
        self._rejoins.pop(frame.eui64, None)
        asked = mac_commands.AssociationRequest(
            self._sealing.mac_sequence(frame.eui64),
            pan_id,
            frame.parent,
            frame.eui64,
            frame.capability,
        )
        return self._acked(hop, mac_commands.encode(asked), taken)

    def _answer(self, frame: values.AssociationResponse, taken: bool) -> list[Said]:
        coordinator = self.network.coordinator
        refused = frame.short == NO_SHORT
        short = _REFUSED_SHORT if refused else frame.short
        if frame.eui64 in self._rejoins:
            key = self._rejoins.pop(frame.eui64)
            hop = self._down(frame.eui64)
            answer = nwk_commands.RejoinResponse(short, frame.status)
            said = self._acked(hop, self._command(hop, answer, key), taken)
        else:
            response = mac_commands.AssociationResponse(
                self._sealing.mac_sequence(coordinator),
                self.network.pan_id,
                frame.eui64,
                coordinator,
                short,
                frame.status,
            )
            hop = Hop(coordinator, _COORDINATOR, frame.short, frame.eui64)
            fetched = self._fetch(frame.eui64, frame.eui64, pending=True)
            said = [*fetched, *self._acked(hop, mac_commands.encode(response), taken)]
        if not refused:
            self.know(frame.eui64, frame.short)
        return said

    def _fetch(self, eui64: Eui64, source: int | Eui64, *, pending: bool) -> list[Said]:
        """Return a data request and its acknowledgement."""
        number = self._sealing.mac_sequence(eui64)
        asked = mac_commands.DataRequest(number, self.network.pan_id, _COORDINATOR, source)
        hop = Hop(eui64, 0, _COORDINATOR, self.network.coordinator)
        return self._acked(hop, mac_commands.encode(asked), True, pending=pending)

    def _transport(self, frame: values.TransportKey, taken: bool) -> list[Said]:
        command: ApsCommand
        if frame.kind == NETWORK_KEY:
            command = aps_commands.TransportNetworkKey(
                frame.key, frame.sequence, frame.eui64, frame.trust_center
            )
            key_id, network_key = KeyId.KEY_TRANSPORT, None
        else:
            command = aps_commands.TransportLinkKey(frame.key, frame.eui64, frame.trust_center)
            key_id, network_key = KeyId.KEY_LOAD, self.network.network_key
            self._link_keys[frame.eui64] = frame.key
        if frame.via is None:
            hop = self._down(frame.eui64)
            inner = self._aps_command(hop, command, frame.sealed_under, key_id)
            return self._acked(hop, self._sealing.nwk(hop, inner, network_key), taken)
        router = self._known(frame.via)
        hop = Hop(self.network.coordinator, _COORDINATOR, frame.via, router)
        inner = self._aps_command(hop, command, frame.sealed_under, key_id)
        tunnel = aps_commands.Tunnel(frame.eui64, inner)
        return self._commanded(hop, tunnel, None, taken)

    def _request(self, frame: values.RequestKey, taken: bool) -> list[Said]:
        command = aps_commands.RequestKey(RequestedKey.TRUST_CENTRE_LINK)
        key = self._link_keys.get(frame.eui64)
        return self._commanded(self._up(frame.source, frame.eui64), command, key, taken)

    def _verify(self, frame: values.VerifyKey, taken: bool) -> list[Said]:
        self._link_keys[frame.eui64] = frame.key
        command = aps_commands.VerifyKey(frame.eui64, verify_hash(frame.key))
        return self._commanded(self._up(frame.source, frame.eui64), command, None, taken)

    def _confirm(self, frame: values.ConfirmKey, taken: bool) -> list[Said]:
        command = aps_commands.ConfirmKey(frame.status, frame.eui64)
        key = self._link_keys.get(frame.eui64)
        return self._commanded(self._down(frame.eui64), command, key, taken)

    def _update(self, frame: values.UpdateDevice, taken: bool) -> list[Said]:
        command = aps_commands.UpdateDevice(frame.eui64, frame.short, DeviceStatus(frame.status))
        router = self._known(frame.source)
        return self._commanded(self._up(frame.source, router), command, None, taken)

    def _leave(self, frame: values.LeaveOrder, taken: bool) -> list[Said]:
        if frame.via is not None:
            router = self._known(frame.via)
            hop = Hop(self.network.coordinator, _COORDINATOR, frame.via, router)
            return self._commanded(hop, aps_commands.RemoveDevice(frame.eui64), None, taken)
        hop = self._down(frame.eui64)
        order = nwk_commands.Leave(True, frame.rejoin)
        return self._acked(hop, self._command(hop, order, self.network.network_key), taken)

    def _left(self, frame: values.Left, taken: bool) -> list[Said]:
        self.know(frame.eui64, frame.source)
        hop = Hop(frame.eui64, frame.source, LISTENING)
        told = nwk_commands.Leave(False, frame.rejoin)
        return self._acked(hop, self._command(hop, told, self.network.network_key), taken)

    def fetch(self, short: int) -> list[Said]:
        """Return a sleeper's data request, and the word that something waits for it."""
        return self._fetch(self._known(short), short, pending=True)

    def dump(self) -> dict[str, Any]:
        """Return what must not be forgotten: no frame counter may be used twice."""
        return {"counts": self._sealing.dump()}

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over a ``dump``."""
        self._sealing.load(state["counts"])


#: What writes which frame.
_WRITERS: Final[Mapping[type[Any], str]] = {
    values.DataFrame: "_data",
    values.AssociationRequest: "_association",
    values.AssociationResponse: "_answer",
    values.TransportKey: "_transport",
    values.RequestKey: "_request",
    values.VerifyKey: "_verify",
    values.ConfirmKey: "_confirm",
    values.UpdateDevice: "_update",
    values.LeaveOrder: "_leave",
    values.Left: "_left",
}


def reception(sender: Eui64) -> tuple[int, int]:
    """Return how strong (dBm) and how well (0 to 255) a node of a home is heard.

    Source:
        invented: the same for a node every time, -40 to -71 dBm.
    """
    rssi = -40 - sum(sender.octets) % 32
    return rssi, 255 + (rssi + 40) * 3
