"""Which places for certificates a type of device has, and which command may change which."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from device_profiles.words import DeviceType, RemoteParty
from emulator.codecs.gbcs.credentials import (
    DIGITAL_SIGNATURE,
    KEY_AGREEMENT,
    KEY_CERT_SIGN,
    Cell,
)
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.crypto.keystore import KeyUsage

C, R, D = MessageCode, RemoteParty, DeviceType
#: Usage bits of a place -> use of the key in it.
USAGES: Final = MappingProxyType({DIGITAL_SIGNATURE: KeyUsage.DS, KEY_AGREEMENT: KeyUsage.KA})
ROOT: Final = Cell(R.ROOT, KEY_CERT_SIGN)


class CellStatus(enum.IntEnum):
    """What came of the replacement of one place, or of asking after a role.

    Source:
        StatusCode of RFC 5934, of which GBCS takes these (NP); 0, 0A and 19 seen in RTDS 4.5.0.
    """

    SUCCESS = 0
    BAD_CERTIFICATE = 5
    NO_TRUST_ANCHOR = 10
    INSUFFICIENT_MEMORY = 17
    TRUST_ANCHOR_NOT_FOUND = 25
    RESOURCES_BUSY = 30
    OTHER = 127


def _of(*roles: RemoteParty, agreeing: bool = True) -> tuple[Cell, ...]:
    """Return the places of roles: to sign and, where ``agreeing``, to agree keys."""
    both = (DIGITAL_SIGNATURE, KEY_AGREEMENT) if agreeing else (DIGITAL_SIGNATURE,)
    return tuple([Cell(role, usage) for role in roles for usage in both])


_TOP_UP: Final = Cell(R.SUPPLIER, KEY_AGREEMENT, is_prepayment=True)
_AUTHORITIES: Final = (ROOT, Cell(R.RECOVERY, DIGITAL_SIGNATURE))
_BROKER_AGREES: Final = Cell(R.ACCESS_CONTROL_BROKER, KEY_AGREEMENT)
_COS: Final = Cell(R.TRANSITIONAL_COS, DIGITAL_SIGNATURE)
_METER: Final = (
    *_AUTHORITIES,
    *_of(R.SUPPLIER),
    _TOP_UP,
    *_of(R.NETWORK_OPERATOR),
    _BROKER_AGREES,
    _COS,
)

#: Device type -> its places, in the order it shows them.
#:
#: Source: the ESME's, the CHF's ACB and WAN provider, the GPF's supplier and operator from the
#: RTDS 4.5.0 vectors of CS02a, CS02b and CS02g; the others inferred from who signs and MACs what
#: is sent to these devices.
PLACES: Final[Mapping[DeviceType, tuple[Cell, ...]]] = MappingProxyType(
    {
        D.ESME: (*_METER, *_of(R.LOAD_CONTROLLER)),
        D.GSME: _METER,
        D.GPF: _METER,
        D.HCALCS: (
            *_AUTHORITIES,
            *_of(R.SUPPLIER),
            _BROKER_AGREES,
            _COS,
            *_of(R.LOAD_CONTROLLER),
        ),
        D.PPMID: (*_AUTHORITIES, *_of(R.ACCESS_CONTROL_BROKER), _COS),
        D.CHF: (
            *_AUTHORITIES,
            *_of(R.ACCESS_CONTROL_BROKER),
            _COS,
            *_of(R.WAN_PROVIDER, agreeing=False),
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Mode:
    """A way to replace credentials.

    Attributes:
        number: As the command's first part says it.
        authoriser: Role that asks; None for the contingency key.
        replaced: Roles whose places it may change.
        alert: Message code of the alert that tells what came of a future-dated one.
    """

    number: int
    authoriser: RemoteParty | None
    replaced: frozenset[RemoteParty]
    alert: MessageCode = MessageCode.CS02B_ALERT


_ANY: Final = frozenset(RemoteParty) - {R.OTHER, R.ISSUING_AUTHORITY}


def _mode(code: MessageCode, by: RemoteParty, of: RemoteParty) -> Mode:
    return Mode(code - _FIRST_CODE, by, frozenset({of}))


_FIRST_CODE: Final = 0x0100
#: Message code -> way to replace. Source: NP (modes), RTDS 4.5.0; message code = 0100 + mode. Modes
#: 0 and 1, the root alone, replaced by the party that is responsible for the device: known.
MODES: Final[Mapping[int, Mode]] = MappingProxyType(
    {
        C.CS02B_ROOT_BY_SUPPLIER: _mode(C.CS02B_ROOT_BY_SUPPLIER, R.SUPPLIER, R.ROOT),
        C.CS02B_ROOT_BY_WP: _mode(C.CS02B_ROOT_BY_WP, R.WAN_PROVIDER, R.ROOT),
        C.CS02B_SUPPLIER_BY_SUPPLIER: _mode(C.CS02B_SUPPLIER_BY_SUPPLIER, R.SUPPLIER, R.SUPPLIER),
        C.CS02B_NO_BY_NO: _mode(C.CS02B_NO_BY_NO, R.NETWORK_OPERATOR, R.NETWORK_OPERATOR),
        C.CS02B_ACB_BY_ACB: _mode(
            C.CS02B_ACB_BY_ACB, R.ACCESS_CONTROL_BROKER, R.ACCESS_CONTROL_BROKER
        ),
        C.CS02B_WP_BY_WP: _mode(C.CS02B_WP_BY_WP, R.WAN_PROVIDER, R.WAN_PROVIDER),
        C.CS02B_TCOS_BY_TCOS: _mode(C.CS02B_TCOS_BY_TCOS, R.TRANSITIONAL_COS, R.TRANSITIONAL_COS),
        C.CS02B_SUPPLIER_BY_TCOS: _mode(C.CS02B_SUPPLIER_BY_TCOS, R.TRANSITIONAL_COS, R.SUPPLIER),
        C.CS02B_ANY_BY_RECOVERY: Mode(8, R.RECOVERY, _ANY),
        C.CS02B_ANY_BY_CONTINGENCY: Mode(9, None, _ANY),
        C.CS02G_LC_BY_LC: Mode(
            10, R.LOAD_CONTROLLER, frozenset({R.LOAD_CONTROLLER}), C.CS02G_ALERT
        ),
        C.CS02G_LC_BY_SUPPLIER: Mode(11, R.SUPPLIER, frozenset({R.LOAD_CONTROLLER}), C.CS02G_ALERT),
    }
)


def certified_roles(role: int) -> frozenset[int]:
    """Return the roles whose certificates a place takes: its own; a load controller's a supplier's.

    Source:
        RTDS 4.5.0 CS02g: a supplier's certificates (OU 02) go into the places of role 8.
    """
    return frozenset({role, R.SUPPLIER}) if role == R.LOAD_CONTROLLER else frozenset({role})
