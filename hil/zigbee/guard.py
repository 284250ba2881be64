"""Guard of a dongle: which EZSP command may pass, by role (reference zigbee-dongle.md 5.3-3, -5).

It stands at the octets, below bellows and zigpy: nothing they do on their own gets round it. What
no role needs is refused to all: one-time writes of certificates, EUI-64s and manufacturing data,
boot loaders, factory resets, raw and endless transmissions, and every command not listed here.
"""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from harness.errors import NotPermittedError

#: Longest window in which joining may be permitted, seconds. Source: reference 5.3-5 (design).
MAX_PERMIT_S: Final = 60
#: Most power a driver may ask for, dBm. Source: invented (a dongle's usual 20 dBm; 5.3-5).
MAX_POWER_DBM: Final = 20


class Verb(enum.StrEnum):
    """What a command does, in the grades of the guard."""

    READ = "read from the dongle"
    CONFIGURE = "configure the dongle for as long as it has power"
    SCAN = "scan"
    LISTEN = "listen on a channel"
    RESUME = "go on with the network it keeps"
    FORM = "form a network"
    JOIN = "join a network"
    LEAVE = "leave its network"
    PERMIT = "permit joining"
    SEND = "send messages"
    KEYS = "handle keys of its network"
    REMOVE = "send a node away"
    ONE_TIME = "write what can be written once"
    BOOT = "start or feed a boot loader"
    ERASE = "erase what the dongle keeps"
    TRANSMIT = "transmit raw frames or test signals"


class Role(enum.StrEnum):
    """What a dongle is used as."""

    HUB = "hub"
    NODE = "node"
    OBSERVER = "observer"


_BOTH: Final = frozenset({Verb.READ, Verb.CONFIGURE, Verb.RESUME, Verb.SEND, Verb.KEYS})
#: What each role may do; all else is refused.
GRANTS: Final[Mapping[Role, frozenset[Verb]]] = MappingProxyType(
    {
        Role.HUB: _BOTH | {Verb.FORM, Verb.PERMIT, Verb.REMOVE},
        Role.NODE: _BOTH | {Verb.SCAN, Verb.JOIN, Verb.LEAVE},
        Role.OBSERVER: frozenset({Verb.READ, Verb.CONFIGURE, Verb.SCAN, Verb.LISTEN}),
    }
)
_NAMES: Final[Mapping[Verb, str]] = {
    Verb.READ: "00 01 03 04 05 06 08 0A 0B 13 18 26 27 28 29 2C 2E 2F 33 35 3E 47 49 4A 4B 4C 4E"
    " 4F 52 56 5B 5E 5F 60 61 63 69 6A 6F 71 75 79 7A 7B 7F 81 8B 8D 91 9D A5 AA C1 C2 C3 CE D1"
    " E5 E6 EC F0 F1 F3 FC FD 100 101 102 10C 10D 10F 110 112 113 114 116 118",
    Verb.CONFIGURE: "02 07 0E 10 11 15 2B 30 40 53 55 5A 5C 5D 64 65 7E 82 99 AB AE D0 E7 EF F4"
    " 105",
    Verb.SCAN: "1A 1D 3C 3D",
    Verb.LISTEN: "83 84 8A",
    Verb.RESUME: "17",
    Verb.FORM: "1E",
    Verb.JOIN: "1F 21 3B",
    Verb.LEAVE: "20",
    Verb.PERMIT: "22",
    Verb.SEND: "34 36 38 39 41 42",
    Verb.KEYS: "14 50 66 67 68 6B 6C 72 76 9F A1 A4 A6 A3 AF B0 E8 EA EE 10E 111",
    Verb.REMOVE: "A8",
    Verb.ONE_TIME: "09 0C A2 ED 103 153 155 157 159 15C 15E 15F 161 163 167 169",
    Verb.BOOT: "8F 90",
    Verb.ERASE: "77 B1 CC 104 FE",
    Verb.TRANSMIT: "51 85 86 87 88 89 8C 96 9A B9 F8 FA FB",
}
#: Frame ids that mean another thing in some versions: id -> (first version of the other, its verb).
#: Source: the command lists of v8 to v19.
_LATER: Final[Mapping[int, tuple[int, Verb]]] = {0x5F: (17, Verb.ERASE)}


def _table() -> Mapping[int, Verb]:
    return MappingProxyType(
        {int(one, 16): verb for verb, ids in _NAMES.items() for one in ids.split()}
    )


#: Frame id -> what it does; an id that is not here is refused to every role.
VERBS: Final = _table()

_PERMIT, _FORM, _SET_VALUE, _SET_POWER = 0x22, 0x1E, 0xAB, 0x99
_SEND_UNICAST, _SEND_BROADCAST = 0x34, 0x36
#: Values by which a certificate and its key reach the dongle. Source: reference 5.2 A.
_ONE_TIME_VALUES: Final = frozenset({0x1A, 0x1B, 0x1C})
#: Device objects' Mgmt_Permit_Joining_req: sequence, duration, significance.
_MGMT_PERMIT: Final = bytes((0x00, 0x00, 0x36, 0x00))
_HEADER_OCTETS: Final = 5


class GuardRefusedError(NotPermittedError):
    """A command was kept from the dongle; nothing of it has left this computer.

    Attributes:
        verb: What it would have done; None for a command that is not known here.
    """

    def __init__(self, role: Role, verb: Verb | None, why: str) -> None:
        what = "send a command that is not known here" if verb is None else verb.value
        super().__init__(
            f"the guard of the dongle does not let it {what}: {why}",
            where=f"role {role.value}",
            cause="a role may do what its table says, and nothing else",
            next_command="smetsbench bench check FILE",
        )
        self.verb = verb


@dataclass(frozen=True, slots=True)
class Guard:
    """What one dongle may be told.

    Attributes:
        role: Its role.
        also: Verbs granted beyond the role's, on the word of whoever owns the bench.
        max_power_dbm: Most transmit power it may be set to.
    """

    role: Role
    also: frozenset[Verb] = field(default_factory=frozenset)
    max_power_dbm: int = MAX_POWER_DBM

    def __post_init__(self) -> None:
        """Check what is granted.

        Raises:
            ValueError: Something nobody may do is granted.
        """
        never = self.also & {Verb.ONE_TIME, Verb.BOOT, Verb.ERASE, Verb.TRANSMIT}
        if never:
            raise ValueError(f"nobody may {', '.join(sorted(never))}")

    def check(self, frame: bytes, version: int = 13) -> None:
        """Let one EZSP frame pass, or refuse it.

        Args:
            frame: Header and parameters, as they go into an ASH data frame.
            version: EZSP version spoken.

        Raises:
            GuardRefusedError: It may not pass.
        """
        if len(frame) >= _HEADER_OCTETS and frame[2] & 0x3F == 0x01:
            frame_id, parameters = int.from_bytes(frame[3:5], "little"), frame[5:]
        else:  # only the first `version` is told in an older form
            frame_id, parameters = (frame[2], frame[3:]) if len(frame) == 4 else (-1, b"")
            if frame_id != 0:
                raise GuardRefusedError(self.role, None, "an EZSP older than v8")
        verb = _verb(frame_id, version)
        if verb is None:
            raise GuardRefusedError(self.role, None, f"frame {frame_id:#06x}")
        if verb not in GRANTS[self.role] and verb not in self.also:
            raise GuardRefusedError(self.role, verb, f"frame {frame_id:#06x} is not of its role")
        if frame_id in _WATCHED:
            self._check_values(verb, frame_id, parameters, version)

    def _check_values(self, verb: Verb, frame_id: int, parameters: bytes, version: int) -> None:
        why = ""
        if frame_id == _SET_VALUE and parameters[:1] and parameters[0] in _ONE_TIME_VALUES:
            verb, why = Verb.ONE_TIME, "a certificate"
        elif frame_id == _PERMIT and parameters[:1] and parameters[0] > MAX_PERMIT_S:
            why = f"for {parameters[0]} s; at most {MAX_PERMIT_S} s"
        elif frame_id in (_SEND_UNICAST, _SEND_BROADCAST):
            seconds = _asks_to_permit(frame_id, parameters, version)
            if seconds > MAX_PERMIT_S or (seconds and Verb.PERMIT not in self._granted):
                verb, why = Verb.PERMIT, f"by a message, for {seconds} s"
        elif frame_id in (_SET_POWER, _FORM):
            at = 0 if frame_id == _SET_POWER else 10
            power = int.from_bytes(parameters[at : at + 1], "little", signed=True)
            if power > self.max_power_dbm:
                why = f"at {power} dBm; at most {self.max_power_dbm} dBm"
        if why:
            raise GuardRefusedError(self.role, verb, why)

    @property
    def _granted(self) -> frozenset[Verb]:
        return GRANTS[self.role] | self.also


_WATCHED: Final = frozenset(
    {_PERMIT, _FORM, _SET_VALUE, _SET_POWER, _SEND_UNICAST, _SEND_BROADCAST}
)


def _verb(frame_id: int, version: int) -> Verb | None:
    later = _LATER.get(frame_id)
    if later is not None and version >= later[0]:
        return later[1]
    return VERBS.get(frame_id)


def _asks_to_permit(frame_id: int, parameters: bytes, version: int) -> int:
    """Return for how many seconds a message asks its receivers to permit joining; mostly 0."""
    at = 3 if frame_id == _SEND_UNICAST else (5 if version >= 14 else 2)
    if parameters[at : at + 4] != _MGMT_PERMIT:
        return 0
    return parameters[-2] if len(parameters) > at + 4 else 0


def refused_to(role: Role, frame_ids: Iterable[int], version: int = 13) -> list[int]:
    """Return which of these commands a role may not send, for tables and tests."""
    granted = GRANTS[role]
    return [one for one in frame_ids if _verb(one, version) not in granted]
