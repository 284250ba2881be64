"""Typed ASN.1 payloads of joins: CS03, CS04, CS07, GCS28, and the GPF's log (GCS59, GCS62).

Source:
    Layouts of reference gbcs.md section 9.2 and NP; checked on the RTDS 4.5.0 messages of these
    use cases. The response of GCS59 is NP's layout, no vector of it is at hand.
"""

import enum
from dataclasses import dataclass
from typing import Final, Self

from emulator.codecs import der
from emulator.codecs.der import Node, Tag
from emulator.codecs.gbcs.asn1_parts import Parts, time_node
from emulator.core.clock import UtcMs
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64

_LAYER: Final = "gbcs.joins"
#: Highest device type in GBCS ASN.1 (6, Type 2).
_LAST_TYPE: Final = 6
_U8: Final = 0xFF
_EUI64_LENGTH: Final = 8


class JoinMethod(enum.IntEnum):
    """How two devices join, and who begins."""

    A_INITIATOR = 0
    A_RESPONDER = 1
    B = 2
    C = 3


class JoinCode(enum.IntEnum):
    """What came of a join (CS03, GCS59)."""

    SUCCESS = 0
    WRONG_MESSAGE_FOR_METHOD = 1
    INVALID_METHOD = 2
    INCOMPATIBLE_ENTRY = 3
    LOG_FULL = 4
    WRITE_FAILURE = 5
    NO_RESOURCES = 6
    UNKNOWN_ISSUER = 7
    UNSUPPORTED_SUITE = 8
    BAD_MESSAGE = 9
    BAD_KEY_CONFIRM = 10
    INVALID_CERTIFICATE = 11
    NO_LINK_KEY = 12
    NO_CBKE_RESPONSE = 13


class UnjoinCode(enum.IntEnum):
    """What came of an unjoin (CS04)."""

    SUCCESS = 0
    NOT_IN_LOG = 1
    OTHER = 2


class ClockState(enum.IntEnum):
    """What a device says of its clock (GCS28)."""

    RELIABLE = 0
    INVALID = 1
    UNRELIABLE = 2


@dataclass(frozen=True, slots=True)
class JoinDevice:
    """A CS03 command.

    Attributes:
        method: Method and role as the octets say it; one that is no ``JoinMethod`` is answered.
        device: Whom to join with.
        device_type: Its type in GBCS numbers, 0 to 6.
        certificate: Its key-agreement certificate (DER), or None.
    """

    method: int
    device: Eui64
    device_type: int
    certificate: bytes | None = None

    @classmethod
    def read(cls, node: Node) -> Self:
        """Read a command.

        Raises:
            MalformedFrameError: It has another layout.
        """
        parts = _open(node, "CS03 command")
        method, device = parts.unsigned(_U8), Eui64(parts.octets(_EUI64_LENGTH))
        device_type = parts.unsigned(_LAST_TYPE)
        certificate = der.encode(parts.node()) if parts.more() else None
        parts.finish()
        return cls(method, device, device_type, certificate)

    def node(self) -> Node:
        """Return it as a DER value."""
        certificate = () if self.certificate is None else (der.decode(self.certificate),)
        who = der.octet_string(self.device.octets), der.integer(self.device_type)
        return der.sequence(der.integer(self.method), *who, *certificate)


def unjoined_device(node: Node) -> Eui64:
    """Read a CS04 command: the device to part from.

    Raises:
        MalformedFrameError: It is no octet-string of eight.
    """
    content = node.content
    if node.tag != Tag.OCTET_STRING or not isinstance(content, bytes):
        raise MalformedFrameError(_LAYER, der.encode(node), "an OCTET STRING is due")
    if len(content) != _EUI64_LENGTH:
        raise MalformedFrameError(_LAYER, der.encode(node), f"{len(content)} octets are no EUI-64")
    return Eui64(content)


@dataclass(frozen=True, slots=True)
class LoggedDevice:
    """One device of a device log, as CS07, GCS59 and GCS62 carry it.

    Attributes:
        device: The device.
        device_type: Its type in GBCS numbers, 0 to 6.
    """

    device: Eui64
    device_type: int

    @classmethod
    def read(cls, node: Node) -> Self:
        """Read an entry.

        Raises:
            MalformedFrameError: It has another layout.
        """
        parts = _open(node, "device log entry")
        entry = cls(Eui64(parts.octets(_EUI64_LENGTH)), parts.unsigned(_LAST_TYPE))
        parts.finish()
        return entry

    def node(self) -> Node:
        """Return it as a DER value."""
        return der.sequence(der.octet_string(self.device.octets), der.integer(self.device_type))


def check_read(node: Node) -> None:
    """Check a CS07 command, which is NULL.

    Raises:
        MalformedFrameError: It is something else.
    """
    if node != der.NULL:
        raise MalformedFrameError(_LAYER, der.encode(node), "CS07 command is NULL")


def join_details(entries: tuple[LoggedDevice, ...]) -> Node:
    """Return a CS07 response: read successfully, and the entries."""
    return der.sequence(der.integer(0), _listed(entries))


def restored_log(node: Node) -> tuple[LoggedDevice, ...]:
    """Read a GCS59 command: the entries to restore.

    Raises:
        MalformedFrameError: It has another layout.
    """
    outer = _open(node, "GCS59 command")
    inner = _open(outer.node(), "GCS59 entries")
    outer.finish()
    entries = []
    while inner.more():
        entries.append(LoggedDevice.read(inner.node()))
    return tuple(entries)


def restore_outcomes(outcomes: tuple[tuple[LoggedDevice, JoinCode], ...]) -> Node:
    """Return a GCS59 response: each entry and what came of it."""
    rows = [der.sequence(entry.node(), der.integer(code)) for entry, code in outcomes]
    return der.sequence(der.sequence(*rows))


def log_backup(alert_code: int, at: UtcMs, entries: tuple[LoggedDevice, ...]) -> Node:
    """Return the alert GCS62: the GPF's log after a change."""
    return der.sequence(der.integer(alert_code), time_node(at), _listed(entries))


@dataclass(frozen=True, slots=True)
class SetClock:
    """A GCS28 command: the time is now between two moments.

    Attributes:
        earliest: Beginning of the interval.
        latest: End of the interval.
    """

    earliest: UtcMs
    latest: UtcMs

    @classmethod
    def read(cls, node: Node) -> Self:
        """Read a command.

        Raises:
            MalformedFrameError: It has another layout.
        """
        parts = _open(node, "GCS28 command")
        asked = cls(parts.time(), parts.time())
        parts.finish()
        return asked


def clock_told(at: UtcMs, state: ClockState) -> Node:
    """Return a GCS28 response: the device's time, and what to think of it."""
    return der.sequence(time_node(at), der.integer(state))


def _open(node: Node, what: str) -> Parts:
    return Parts(der.encode(node), node, what)


def _listed(entries: tuple[LoggedDevice, ...]) -> Node:
    return der.sequence(*[entry.node() for entry in entries])
