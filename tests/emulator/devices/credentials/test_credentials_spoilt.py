"""No bit, octet or order of a command on credentials, joins and logs can be changed unnoticed."""

from functools import cache

import pytest

from device_profiles.words import DeviceType, RemoteParty
from emulator.codecs import der
from emulator.codecs.der import Node, Tag
from emulator.codecs.dlms import access
from emulator.codecs.dlms.access import AccessItem, AccessRequest, Operation
from emulator.codecs.gbcs import credentials as wire
from emulator.codecs.gbcs.credentials import Cell
from emulator.codecs.gbcs.joins import JoinDevice
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.chance import Stream
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyUsage
from emulator.devices.credentials.places import MODES
from tests.emulator.devices.credentials.own_home import Home
from tests.emulator.devices.kit import messages, notes
from tests.sampling import examples

C, D, R = MessageCode, DeviceType, RemoteParty
NEW = Eui64(bytes.fromhex("90b3d51f30aa0001"))
LOG = bytes((0, 0, 30, 3, 0, 255))
#: Reasons that a spoilt message may be refused for.
REASONS = {
    "malformed", "wrong_target", "unauthenticated", "not_a_command", "unknown_message_code",
    "wrong_direction", "missing_signature", "bad_signature", "unknown_signer", "missing_mac",
    "bad_mac", "no_mac_key", "unexpected_protection", "unknown_device",
}  # fmt: skip
#: Commands whose octets are spoilt, by name.
NAMES = [
    "supplier", "acb", "recovery", "show", "make key", "join", "join C", "part", "log", "clock",
    "hub", "GPF restore",
]  # fmt: skip


@cache
def given(name: str) -> tuple[Home, bytes]:
    """A home, and a command that its device takes."""
    home = Home(_KINDS.get(name, D.GSME))
    role = {"acb": R.ACCESS_CONTROL_BROKER, "hub": R.ACCESS_CONTROL_BROKER,
            "GPF restore": R.ACCESS_CONTROL_BROKER}.get(name, R.SUPPLIER)  # fmt: skip
    code = _REPLACED.get(name)
    if code is not None:
        replaced = R.SUPPLIER if name == "recovery" else role
        node, counter = home.replacement(code, home.rows_for(replaced, NEW))
        return home, home.sealed(code, node, home.parties[MODES[code].authoriser or 0], counter)
    code, payload = _plain(home, name)
    return home, home.sealed(code, payload, home.parties[role])


_KINDS = {"hub": D.CHF, "GPF restore": D.GPF, "acb": D.ESME, "recovery": D.ESME}
_REPLACED = {
    "supplier": C.CS02B_SUPPLIER_BY_SUPPLIER,
    "acb": C.CS02B_ACB_BY_ACB,
    "recovery": C.CS02B_ANY_BY_RECOVERY,
}


def _plain(home: Home, name: str) -> tuple[MessageCode, Node | bytes]:
    shown = der.sequence(
        der.sequence(*Cell(2, wire.KEY_AGREEMENT).nodes), der.sequence(der.integer(2))
    )
    usage = der.sequence(Node(Tag.BIT_STRING, wire.DIGITAL_SIGNATURE))
    who = Eui64(bytes(8))
    entry = der.sequence(der.octet_string(who.octets), der.integer(5))
    remove = AccessItem(Operation.ACTION, 104, LOG, 4)
    certificate = home.pki.device_entry(who, KeyUsage.KA).certificate
    clock = der.sequence(
        Node(Tag.GENERALIZED_TIME, b"20240601110000Z"),
        Node(Tag.GENERALIZED_TIME, b"20240601130000Z"),
    )
    choices: dict[str, tuple[MessageCode, Node | bytes]] = {
        "show": (C.CS02A, shown),
        "make key": (C.CS02C, usage),
        "join": (C.CS03B, JoinDevice(2, who, 6).node()),
        "join C": (C.CS03C, JoinDevice(3, who, 5, certificate).node()),
        "part": (C.CS04B, der.octet_string(who.octets)),
        "log": (C.CS07, der.NULL),
        "clock": (C.GCS28, clock),
        "hub": (C.CCS07, access.encode_request(AccessRequest(0x20000001, (remove,)))),
        "GPF restore": (C.GCS59, der.sequence(der.sequence(entry))),
    }
    return choices[name]


def spoilt(message: bytes, draw: Stream) -> bytes:
    """One change: a bit, a cut, an added or a doubled octet."""
    at = draw.below(len(message))
    match draw.below(5):
        case 0 | 1:
            changed = bytearray(message)
            changed[at] ^= 1 << draw.below(8)
            return bytes(changed)
        case 2:
            return message[:at]
        case 3:
            return message + draw.octets(1 + draw.below(4))
        case _:
            return message[:at] + message[at : at + 1] + message[at:]


@pytest.mark.parametrize("name", NAMES)
def test_a_spoilt_command_is_refused_by_name_and_changes_nothing(name: str) -> None:
    home, message = given(name)
    before = home.device.dump()
    draw = Stream(1, f"spoilt/{name}")
    for _ in range(examples(4200)):
        effects = home.give(spoilt(message, draw))
        [refused] = notes(effects, "message_refused")
        assert refused["reason"] in REASONS
        assert len(effects) == 1
    assert home.device.dump() == before


@pytest.mark.parametrize("name", NAMES)
def test_every_truncation_is_refused(name: str) -> None:
    home, message = given(name)
    before = home.device.dump()
    step = max(1, len(message) // examples(400))
    for size in range(0, len(message), step):
        assert notes(home.give(message[:size]), "message_refused")
    assert home.device.dump() == before


@pytest.mark.parametrize("name", NAMES)
def test_a_replay_is_refused_before_and_after_a_power_cycle(name: str) -> None:
    given.cache_clear()
    home, message = given(name)
    assert messages(home.give(message))
    reasons = {"replayed_counter", "bad_signature", "bad_mac", "unknown_signer", "originator_role"}
    for cycle in (False, True, True):
        if cycle:
            home.power_cycle()
        before = home.device.dump()
        [refused] = notes(home.give(message), "message_refused")
        assert refused["reason"] in reasons
        assert home.device.dump() == before
    given.cache_clear()
