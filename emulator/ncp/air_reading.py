"""The octets of a HAN read back: values of `radio_frames`, for whoever holds the keys."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from emulator.codecs.zigbee import (
    aps_commands,
    aps_header,
    mac_commands,
    nwk_commands,
    nwk_header,
    security,
)
from emulator.codecs.zigbee.aps import ApsFrame
from emulator.codecs.zigbee.aps_commands import ApsCommand
from emulator.codecs.zigbee.aps_header import ApsCommandFrame, ApsOuter, Carried
from emulator.codecs.zigbee.mac import MacFrame
from emulator.codecs.zigbee.mac_commands import MacAny
from emulator.codecs.zigbee.nwk_header import NwkHeader
from emulator.codecs.zigbee.security import Auxiliary, KeyId
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.crypto.zigbee_security import opened, verify_hash
from emulator.ncp import radio_frames as values
from emulator.ncp.radio_frames import LINK_KEY, NETWORK_KEY, NO_SHORT, RadioFrame

_REFUSED_SHORT: Final = 0xFFFF


class UnreadFrameError(Exception):
    """A frame that is not understood: no key opens it, or it is nothing a HAN says."""


@dataclass(frozen=True, slots=True)
class Read:
    """What octets were.

    Attributes:
        mac: The MAC frame.
        frame: What it carries above; None: nothing (beacons, acknowledgements and the like).
        why: Why nothing, where something was there: not understood.
    """

    mac: MacAny
    frame: RadioFrame | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Opened:
    """The payload of a secured APS frame, and what it was secured with."""

    payload: bytes = field(repr=False)
    key: bytes | None = field(repr=False)
    auxiliary: Auxiliary | None


@dataclass(slots=True)
class AirReader:
    """Reads one network's frames; learns addresses, and keys from the frames that carry them.

    Attributes:
        network_keys: Network keys.
        link_keys: Link keys.
        eui64s: Nodes by short address.
        learns: Whether keys out of Transport Key commands are kept.
    """

    network_keys: list[bytes] = field(default_factory=list, repr=False)
    link_keys: list[bytes] = field(default_factory=list, repr=False)
    eui64s: dict[int, Eui64] = field(default_factory=dict)
    learns: bool = True

    def read(self, octets: bytes) -> Read:
        """Read one MAC frame, FCS included.

        Raises:
            MalformedFrameError: The FCS is wrong, or it is no frame of a Zigbee network.
        """
        outer = mac_commands.decode(octets)
        try:
            return Read(outer, self._above(outer))
        except UnreadFrameError as error:
            return Read(outer, None, str(error))
        except MalformedFrameError as error:
            return Read(outer, None, error.why)  # not its octets: they may be a key's

    def _above(self, outer: MacAny) -> RadioFrame | None:
        if isinstance(outer, MacFrame):
            return self._packet(outer)
        if isinstance(outer, mac_commands.AssociationRequest):
            asked = values.AssociationRequest(outer.source, outer.capability)
            return replace(asked, pan_id=outer.pan_id, parent=outer.destination)
        if isinstance(outer, mac_commands.AssociationResponse):
            refused = outer.short == _REFUSED_SHORT
            if not refused:
                self.eui64s[outer.short] = outer.destination
            short = NO_SHORT if refused else outer.short
            return values.AssociationResponse(outer.destination, short, outer.status)
        if isinstance(outer, mac_commands.DataRequest) and isinstance(outer.source, int):
            return values.Poll(outer.source)
        return None

    # -- the network layer ---------------------------------------------------------------------

    def _packet(self, outer: MacFrame) -> RadioFrame | None:
        data = outer.payload
        header, at = nwk_header.decode(data)
        if header.source_eui64 is not None:
            self.eui64s[header.source] = header.source_eui64
        payload, key = data[at:], None
        if header.secured:
            payload, key = self._network_opened(header, data, at)
        if header.command:
            return self._network_command(header, payload, key)
        return self._application(header, payload, key)

    def _network_opened(self, header: NwkHeader, data: bytes, at: int) -> tuple[bytes, bytes]:
        auxiliary, end = security.decode(data, at)
        if auxiliary.key_id is not KeyId.NETWORK or auxiliary.source is None:
            raise UnreadFrameError("a network header without a network key or sender")
        for key in self.network_keys:
            payload = opened(data[:at], auxiliary, data[end:], key, auxiliary.source)
            if payload is not None:
                self.eui64s[header.source] = auxiliary.source
                return payload, key
        raise UnreadFrameError("no network key opens it")

    def _network_command(
        self, header: NwkHeader, payload: bytes, key: bytes | None
    ) -> RadioFrame | None:
        command = nwk_commands.decode(payload)
        source, target = header.source_eui64, header.destination_eui64
        if key is None and isinstance(command, nwk_commands.Leave):
            raise UnreadFrameError("a farewell in the clear")
        match command:
            case nwk_commands.Leave(request=True) if target is not None:
                return values.LeaveOrder(target, command.rejoin)
            case nwk_commands.Leave(request=False) if source is not None:
                return values.Left(header.source, source, command.rejoin)
            case nwk_commands.RejoinRequest() if source is not None:
                asked = values.AssociationRequest(source, command.capability, header.source, key)
                return replace(asked, parent=header.destination)
            case nwk_commands.RejoinResponse() if target is not None:
                refused = command.short == _REFUSED_SHORT
                short = NO_SHORT if refused else command.short
                return values.AssociationResponse(target, short, command.status)
        return None

    # -- the application support layer ---------------------------------------------------------

    def _application(
        self, header: NwkHeader, data: bytes, network_key: bytes | None
    ) -> RadioFrame | None:
        frame, outer, at = aps_header.decode_header(data)
        told = _Opened(data[at:], None, None)
        if outer.secured:
            told = self._application_opened(header, data, at)
        if isinstance(frame, ApsCommandFrame):
            command = aps_commands.decode(told.payload)
            return self._command(header, command, told.key, network_key)
        if network_key is None:
            raise UnreadFrameError("a data frame in the clear")
        return _data(header, frame, outer, told, network_key)

    def _application_opened(self, header: NwkHeader, data: bytes, at: int) -> _Opened:
        auxiliary, end = security.decode(data, at)
        sender = auxiliary.source or self.eui64s.get(header.source)
        if sender is None or auxiliary.key_id is KeyId.NETWORK:
            raise UnreadFrameError("nobody knows who sent it, or it is under no link key")
        for key in self.link_keys:
            payload = opened(data[:at], auxiliary, data[end:], key, sender)
            if payload is not None:
                return _Opened(payload, key, auxiliary)
        raise UnreadFrameError("no link key opens it")

    def _command(
        self,
        header: NwkHeader,
        command: ApsCommand,
        key: bytes | None,
        network_key: bytes | None,
    ) -> RadioFrame | None:
        if isinstance(command, aps_commands.Tunnel):
            return self._tunnelled(header, command)
        if isinstance(command, aps_commands.TransportNetworkKey):
            self._learn(self.network_keys, command.key)
            return values.TransportKey(
                command.destination,
                command.key,
                NETWORK_KEY,
                command.sequence,
                command.source,
                key,
            )
        if network_key is None:
            raise UnreadFrameError("a command in the clear")
        if isinstance(command, aps_commands.TransportLinkKey):
            self._learn(self.link_keys, command.key)
            told = (command.destination, command.key, LINK_KEY, 0, command.source)
            return values.TransportKey(*told, key)
        return self._of_node(header, command)

    def _tunnelled(self, header: NwkHeader, command: aps_commands.Tunnel) -> RadioFrame | None:
        inside = self._application(header, command.frame, None)
        if not isinstance(inside, values.TransportKey):
            raise UnreadFrameError("something else than a key in a tunnel")
        return replace(inside, via=header.destination)

    def _of_node(self, header: NwkHeader, command: ApsCommand) -> RadioFrame | None:
        sender = self.eui64s.get(header.source)
        match command:
            case aps_commands.RequestKey() if sender is not None:
                return values.RequestKey(header.source, sender)
            case aps_commands.VerifyKey():
                proven = (key for key in self.link_keys if verify_hash(key) == command.proof)
                key = next(proven, None)
                if key is None:
                    raise UnreadFrameError("a proof of a key nobody here holds")
                return values.VerifyKey(header.source, command.source, key)
            case aps_commands.ConfirmKey():
                return values.ConfirmKey(command.destination, command.status)
            case aps_commands.UpdateDevice():
                told = (command.device, command.short, int(command.status))
                return values.UpdateDevice(header.source, *told)
            case aps_commands.RemoveDevice():
                return values.LeaveOrder(command.target, via=header.destination)
        return None

    def _learn(self, keys: list[bytes], key: bytes) -> None:
        if self.learns and key not in keys:
            keys.append(key)


def _data(
    header: NwkHeader, frame: Carried, outer: ApsOuter, told: _Opened, network_key: bytes
) -> RadioFrame:
    if isinstance(frame, ApsCommandFrame):
        raise UnreadFrameError("a command is no data frame")
    inner = replace(frame, payload=told.payload) if isinstance(frame, ApsFrame) else frame
    if not isinstance(inner, ApsFrame) and told.payload:
        raise UnreadFrameError("octets behind an acknowledgement")
    counter = None if told.auxiliary is None else told.auxiliary.counter
    return values.DataFrame(
        header.source,
        header.destination,
        inner,
        network_key,
        told.key,
        outer.group,
        counter,
    )


def reader_of(network_keys: Iterable[bytes] = (), link_keys: Iterable[bytes] = ()) -> AirReader:
    """Return a reader that holds these keys."""
    return AirReader(list(network_keys), list(link_keys))
