"""When nobody else is left: the contingency key, and recovery, replace all, the root included."""

import json
from dataclasses import replace

import pytest

from device_profiles.words import DeviceType, RemoteParty
from emulator.codecs import der
from emulator.codecs.der import Node
from emulator.codecs.gbcs import credentials as wire
from emulator.codecs.gbcs.credentials import Cell
from emulator.codecs.gbcs.envelope import Cra, Envelope, GroupingHeader, OtherInformation
from emulator.codecs.gbcs.use_cases import MessageCode, Protection
from emulator.core.chance import Stream
from emulator.core.ids import Eui64
from emulator.crypto import mac
from emulator.crypto.keystore import KeyEntry, KeyStore, KeyUsage
from emulator.crypto.pki import TestPki as Pki
from emulator.crypto.protection import KeyRing, seal
from emulator.devices.credentials.places import PLACES, ROOT, USAGES
from emulator.devices.credentials.trust import Contingency
from tests.emulator.devices.credentials.own_home import Home, answered, statuses
from tests.emulator.devices.kit import ACB, START, key, notes

C, D, R = MessageCode, DeviceType, RemoteParty
PARTY = Eui64(bytes.fromhex("70b3d51f300017ff"))
OPENER = bytes(range(16))
NEW_WORLD = Pki.new(Stream(77, "new-world").octets, START)


def home_with_contingency(kind: DeviceType) -> Home:
    home = Home(kind)
    secret = key(PARTY, KeyUsage.DS)
    home.keys = home.keys.merged(KeyStore([secret]))
    sealed = mac.encrypt(OPENER, PARTY, secret.public_point)
    home.device.trust.contingency = Contingency(PARTY, sealed)
    return home


def command(home: Home, counter: int, *, opener: bytes = OPENER, pki: Pki = NEW_WORLD) -> bytes:
    """Replace the root and every place; each role keeps its party, with new keys."""
    cells = [cell for cell in PLACES[home.device_type] if cell != ROOT]
    entries = [
        pki.organisation_entry(
            home.parties[cell.role], cell.role, USAGES[cell.usage], prepayment=cell.is_prepayment
        )
        for cell in cells
    ]
    listed = [(NEW_WORLD.root.certificate, ROOT)]
    listed += [(e.certificate or b"", cell) for e, cell in zip(entries, cells, strict=True)]
    rows = [der.sequence(der.decode(octets), der.sequence(*c.nodes)) for octets, c in listed]
    control = der.sequence(
        der.integer(9), Node(0x80, opener), Node(0x83, der.integer(counter).content)
    )
    payload = der.sequence(
        control, der.sequence(*rows), der.sequence(der.decode(pki.issuing.certificate))
    )
    other = OtherInformation(int(C.CS02B_ANY_BY_CONTINGENCY))
    header = GroupingHeader(Cra.COMMAND, counter, PARTY, home.eui64, other)
    env = Envelope(header, der.encode(payload))
    message = seal(env, KeyRing(home.keys), protection=Protection.SIGNATURE, acb=ACB)
    home.keys = home.keys.merged(KeyStore(entries))
    return message


@pytest.mark.parametrize("kind", [D.ESME, D.GSME, D.GPF, D.CHF, D.PPMID, D.HCALCS])
def test_the_contingency_key_replaces_all_and_the_root(kind: DeviceType) -> None:
    home = home_with_contingency(kind)
    message = command(home, 9)
    response = answered(home.give(message))
    assert statuses(response) == [0] * len(PLACES[kind])
    home.power_cycle()
    assert home.device.trust.root == NEW_WORLD.root.certificate
    assert notes(home.give(message), "message_refused")[0]["reason"] == "replayed_counter"


def test_a_wrong_opener_opens_nothing() -> None:
    home = home_with_contingency(D.GSME)
    before = home.device.dump()
    effects = home.give(command(home, 9, opener=bytes(16)))
    assert notes(effects, "message_refused")[0]["reason"] == "unknown_signer"
    effects = home.give(command(home, 9, opener=b""))
    assert notes(effects, "message_refused")[0]["reason"] == "unknown_signer"
    assert home.device.dump() == before


def test_another_partys_signature_is_none_of_the_contingency_partys() -> None:
    home = home_with_contingency(D.GSME)
    forged = replace(key(ACB, KeyUsage.DS), eui64=PARTY)
    home.keys = home.keys.merged(KeyStore([forged]))
    before = home.device.dump()
    effects = home.give(command(home, 9))
    assert notes(effects, "message_refused")[0]["reason"] == "bad_signature"
    assert home.device.dump() == before


def test_a_device_without_a_contingency_key_knows_no_such_party() -> None:
    home = Home(D.GSME)
    home.keys = home.keys.merged(KeyStore([key(PARTY, KeyUsage.DS)]))
    effects = home.give(command(home, 9))
    assert notes(effects, "message_refused")[0]["reason"] == "unknown_signer"


def test_recovery_cannot_bring_a_root_that_the_old_one_did_not_sign() -> None:
    home = Home(D.GSME)
    stranger = KeyEntry(Eui64(bytes(8)), KeyUsage.DS, False, b"", None, NEW_WORLD.root.certificate)
    before = home.device.trust.root
    effects = home.replace(C.CS02B_ANY_BY_RECOVERY, [(stranger, ROOT)])
    assert statuses(answered(effects)) == [10]
    assert home.device.trust.root == before


def test_the_contingency_key_outlives_a_dump() -> None:
    home = home_with_contingency(D.ESME)
    home.device.load(json.loads(json.dumps(home.device.dump())))
    assert statuses(answered(home.give(command(home, 3))))[0] == 0
    assert Cell(R.SUPPLIER, wire.DIGITAL_SIGNATURE) in home.device.trust.installed


@pytest.mark.parametrize(
    ("kind", "code"),
    [(D.ESME, C.CS02B_ROOT_BY_SUPPLIER), (D.GSME, C.CS02B_ROOT_BY_SUPPLIER),
     (D.CHF, C.CS02B_ROOT_BY_WP)],
)  # fmt: skip
def test_a_root_is_replaced_by_whom_the_device_belongs_to(
    kind: DeviceType, code: MessageCode
) -> None:
    home = Home(kind)
    root = home.pki.root.certificate
    entry = KeyEntry(Eui64(bytes(8)), KeyUsage.DS, False, b"", None, root)
    answer = answered(home.replace(code, [(entry, ROOT)]))
    assert statuses(answer) == [0]
    assert home.device.trust.root == root
    stranger = KeyEntry(Eui64(bytes(8)), KeyUsage.DS, False, b"", None, NEW_WORLD.root.certificate)
    home.replace(code, [(stranger, ROOT)])
    assert home.device.trust.root == root
