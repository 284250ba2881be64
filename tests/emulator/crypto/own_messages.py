"""A small world with keys of its own, and one message of every kind that the table allows."""

from dataclasses import dataclass, replace

from emulator.codecs.gbcs.envelope import Cra, Envelope, GroupingHeader, OtherInformation
from emulator.codecs.gbcs.use_cases import MESSAGES, Category, MessageRow, Protection
from emulator.core.chance import Chance
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore
from emulator.crypto.pki import TestPki
from emulator.crypto.protection import KeyRing, seal

AT = UtcMs(1_767_225_600_000)  # 2026-01-01T00:00:00Z
ACB = Eui64.parse("02-53-42-00-00-00-00-04")
SUPPLIER = Eui64.parse("02-53-42-00-00-01-00-00")
OTHER_SUPPLIER = Eui64.parse("02-53-42-00-00-03-00-00")
ESME = Eui64.parse("02-53-42-01-00-00-00-A0")
PPMID = Eui64.parse("02-53-42-01-00-00-00-A4")
ALL_SETS = (
    Protection.NONE,
    Protection.SIGNATURE,
    Protection.MAC,
    Protection.SIGNATURE | Protection.MAC,
)


@dataclass(frozen=True)
class Made:
    """A message we made, and how."""

    name: str
    data: bytes
    envelope: Envelope
    row: MessageRow
    protection: Protection


def new_store(seed: int = 7) -> KeyStore:
    pki = TestPki.new(Chance(seed).stream("pki").octets, AT)
    store = KeyStore()
    for eui64, role in ((ACB, 4), (SUPPLIER, 2), (OTHER_SUPPLIER, 2)):
        for entry in pki.organisation_entries(eui64, role):
            store.add(entry)
    for device in (ESME, PPMID):
        for entry in pki.device_entries(device):
            store.add(entry)
    return store


STORE = new_store()


def new_ring() -> KeyRing:
    return KeyRing(STORE)


def allowed(row: MessageRow, cra: Cra) -> tuple[Protection, ...]:
    return {Cra.COMMAND: row.command, Cra.RESPONSE: row.response, Cra.ALERT: row.alert}[cra]


def draft(row: MessageRow, cra: Cra, payload: bytes = b"\xd9\x20\x00\x00\x07") -> Envelope:
    """An unprotected message of that code between the parties the code is for."""
    there = PPMID if row.category is Category.BETWEEN_DEVICES else SUPPLIER
    ends = (there, ESME) if cra is Cra.COMMAND else (ESME, there)
    date_time = b""
    if cra is Cra.RESPONSE and row.response_date_time:
        date_time = bytes.fromhex("07df0101ff0000000080 0000".replace(" ", ""))
    header = GroupingHeader(cra, 1000 + row.code, *ends, OtherInformation(row.code), date_time)
    return Envelope(header, payload)


def made_messages() -> list[Made]:
    """One message for every code, direction and protection set that its row allows."""
    ring, chance = new_ring(), Chance(11).stream("payloads")
    messages = []
    for row in MESSAGES.values():
        for cra in Cra:
            for protection in allowed(row, cra):
                env = draft(row, cra, chance.octets(chance.below(300)))
                data = seal(env, ring, protection=protection, acb=ACB)
                name = f"{row.use_case} {cra.name} {protection}"
                messages.append(Made(name, data, env, row, protection))
    return messages


def with_supplementary(env: Envelope, fields: int) -> Envelope:
    """The same message with 0 to 3 supplementary fields."""
    values = {
        "supplementary_party": OTHER_SUPPLIER,
        "supplementary_counter": 0x0102030405060708,
        "supplementary_originator_counter": 2002,
    }
    chosen = dict(list(values.items())[:fields])
    other = replace(env.header.other, **chosen)  # type: ignore[arg-type]  # mixed value types
    return replace(env, header=replace(env.header, other=other))
