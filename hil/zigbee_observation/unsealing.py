"""Frames deciphered with keys the user holds: network keys, and link keys of install codes.

A link key opens the frame that carries the network key while a device joins, and the network key
learnt from it opens the rest. After CBKE a device's own frames are sealed a second time under a
link key that never leaves it and the hub; without that key they stay shut.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from emulator.codecs.zigbee import aps_commands, aps_header, nwk_header, security
from emulator.codecs.zigbee.aps_header import ApsCommandFrame
from emulator.codecs.zigbee.security import Auxiliary, KeyId
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.crypto import zigbee_security
from hil.zigbee_observation.heard import Heard
from hil.zigbee_observation.sights import Kind, Sight, sight_of

KEY_OCTETS: Final = 16
#: Security bits in the second octet of a NWK frame control and in an APS frame control.
_NWK_SECURED: Final = 0x02
_APS_SECURED: Final = 0x20
#: How many keys are tried; a home has one network key at a time and a link key a device.
_MAX_KEYS: Final = 64


class Unsealer:
    """Opens frames in the order they were heard, and learns network keys on the way.

    Attributes:
        opened: Frames whose network layer was opened.
        shut: Secured frames that no key opened.
        sealed_inside: Opened frames that are sealed a second time under an unknown link key.
        learnt: Network keys learnt from frames.
    """

    def __init__(self, keys: Iterable[bytes]) -> None:
        """Take keys of 16 octets, of either kind.

        Raises:
            ValueError: One has another length.
        """
        self._keys = list(dict.fromkeys(keys))
        if any(len(key) != KEY_OCTETS for key in self._keys):
            raise ValueError(f"a key has {KEY_OCTETS} octets")
        self._eui64s: dict[int, Eui64] = {}
        self.opened = self.shut = self.sealed_inside = self.learnt = 0

    def open(self, heard: Heard) -> Heard:
        """Return the frame with what could be opened in the clear, keys in it masked.

        A frame that is not secured, or that no key opens, comes back as it is.
        """
        sight = sight_of(heard)
        if sight is None or sight.kind is not Kind.DATA or sight.network is None:
            return heard
        try:
            network = self._network(sight)
            if network is None:
                return heard
            header, payload, is_command = network
            inside = payload if is_command else self._application(sight, payload)
        except (MalformedFrameError, ValueError):
            return heard
        if inside is payload and not sight.network.secured:
            return heard
        outer = heard.octets[: len(heard.octets) - len(sight.payload)]
        return replace(heard, octets=outer + header + inside)

    def _network(self, sight: Sight) -> tuple[bytes, bytes, bool] | None:
        """Return the NWK header in its clear form, its payload, and whether that is a command."""
        data = sight.payload
        told, end = nwk_header.decode(data)
        if told.source_eui64 is not None:
            self._eui64s[told.source] = told.source_eui64
        if not told.secured:
            return data[:end], data[end:], told.command
        auxiliary, start = security.decode(data, end)
        if auxiliary.source is None:
            return None
        payload = self._try(data[:end], auxiliary, data[start:], auxiliary.source)
        if payload is None:
            self.shut += 1
            return None
        self.opened += 1
        if isinstance(sight.source, int):
            self._eui64s[sight.source] = auxiliary.source
        clear = bytes((data[0], data[1] & ~_NWK_SECURED)) + data[2:end]
        return clear, payload, told.command

    def _application(self, sight: Sight, data: bytes) -> bytes:
        frame, outer, end = aps_header.decode_header(data)
        payload: bytes | None = data[end:]
        if outer.secured:
            auxiliary, start = security.decode(data, end)
            sender = auxiliary.source or self._sender(sight)
            payload = None
            if sender is not None:
                payload = self._try(data[:end], auxiliary, data[start:], sender)
            if payload is None:
                self.sealed_inside += 1
                return data
        if payload is None or (not outer.secured and not isinstance(frame, ApsCommandFrame)):
            return data
        if isinstance(frame, ApsCommandFrame):
            payload = self._learn(payload)
        return bytes((data[0] & ~_APS_SECURED,)) + data[1:end] + payload

    def _sender(self, sight: Sight) -> Eui64 | None:
        return None if sight.network is None else self._eui64s.get(sight.network.source)

    def _try(
        self, header: bytes, auxiliary: Auxiliary, enciphered: bytes, sender: Eui64
    ) -> bytes | None:
        for place, key in enumerate(self._keys):
            payload = zigbee_security.opened(header, auxiliary, enciphered, key, sender)
            if payload is not None:
                if auxiliary.key_id is KeyId.NETWORK and place:
                    self._keys.insert(0, self._keys.pop(place))  # the next one is likely the same
                return payload
        return None

    def _learn(self, payload: bytes) -> bytes:
        """Take the key a command carries; return the command with that key masked."""
        command = aps_commands.decode(payload)
        key: bytes | None = getattr(command, "key", None)
        if key is None:
            return payload
        if key not in self._keys and len(self._keys) < _MAX_KEYS:
            self._keys.append(key)
            self.learnt += 1
        return payload.replace(key, bytes(KEY_OCTETS))
