"""RTDS devices as the published state has them, and how their answers compare with the given."""

import tomllib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from device_profiles.words import DeviceType
from emulator.codecs.gbcs import envelope
from emulator.core.chance import Stream
from emulator.core.clock import UtcMs, from_datetime
from emulator.core.effects import DeviceEvent, Effect, Note
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore, KeyUsage
from emulator.crypto.pki import TestPki as Pki
from emulator.crypto.protection import Accepted, KeyRing, open_message
from emulator.devices.base import Device
from emulator.devices.chf.chf import Chf
from emulator.devices.esme.esme import Esme
from emulator.devices.hcalcs.hcalcs import Hcalcs
from emulator.devices.registry import CLASSES
from tests.emulator.devices.kit import (
    ACB,
    CHF,
    EUI64_OF,
    GPF,
    HAN,
    NETWORK,
    key,
    messages,
    profile_of,
)
from tests.given import RTDS_DIR, RTDS_KEYS

HERE: Final = Path(__file__).parent
STATE: Final = HERE / "rtds-credentials.toml"
#: The moment of nearly every response.
NOW: Final = from_datetime(datetime(2015, 1, 1, tzinfo=UTC))
SAPC: Final = Eui64.parse("00-DB-12-34-56-78-90-A6")
RECOVERY: Final = Eui64.parse("90-B3-D5-1F-30-00-00-01")
TCOS: Final = Eui64.parse("90-B3-D5-1F-30-00-00-04")
LOAD_CONTROLLER: Final = Eui64.parse("90-B3-D5-1F-30-01-00-08")
NETWORK_OF_RTDS: Final = replace(
    NETWORK,
    suppliers={**NETWORK.suppliers, SAPC: NETWORK.suppliers[CHF]},
    load_controllers=dict.fromkeys((*HAN, SAPC), LOAD_CONTROLLER),
    transitional_cos=TCOS,
    recovery=RECOVERY,
)
#: Role in a story's ``accepted`` -> party.
PARTY_OF: Final = {
    "network_operator": NETWORK.network_operators[GPF],
    "load_controller": LOAD_CONTROLLER,
}


#: Where the electricity meter has use cases on credentials of its own, as long as it has them.
_OWN: Final = "emulator.devices.esme.handlers_credentials"


class SharedEsme(Esme):
    """An electricity meter on the shared use cases: its own of credentials are left out."""

    @property
    def use_cases(self) -> Any:
        """Message code -> what carries it out and who may ask."""
        rows = super().use_cases.items()
        return {code: row for code, row in rows if row.function.__module__ != _OWN}


@cache
def stories() -> dict[str, Any]:
    """What the device of each story has beside its profile."""
    return tomllib.loads(STATE.read_text("utf-8"))


@cache
def rtds_ring() -> KeyRing:
    """The RTDS keys; devices, of which no private key is published, sign with their own.

    They show the published certificates all the same.
    """
    given = KeyStore.load(RTDS_KEYS)
    own = []
    for eui64 in (*HAN, CHF, GPF, SAPC):
        held = given.find(eui64, KeyUsage.DS)
        shown = None if held is None else held.certificate
        own.append(replace(key(eui64, KeyUsage.DS), certificate=shown))
    return KeyRing(given.merged(KeyStore(own)))


@cache
def other_root() -> bytes:
    """The certificate of a root that issued nothing of the RTDS."""
    return Pki.new(Stream(11, "other-root").octets, NOW).root.certificate


def vector(name: str) -> bytes | None:
    """A given message, or None where it is not at hand."""
    found = sorted(RTDS_DIR.glob(f"RTDS-*/*/{name}_GBCS.HEX"))
    return bytes.fromhex(found[0].read_text("ascii")) if found else None


def made(word: str, network: Any = NETWORK_OF_RTDS) -> Device:
    """A device of the RTDS, running since an hour."""
    if word == "SAPC":
        device: Device = Hcalcs(SAPC, profile_of(DeviceType.HCALCS), rtds_ring(), network)
    elif word == "ESME":
        device = SharedEsme(
            EUI64_OF[DeviceType.ESME], profile_of(DeviceType.ESME), rtds_ring(), network
        )
    elif word == "GPF":
        hub = made("CHF", network)
        assert isinstance(hub, Chf)
        return hub.gpf
    else:
        kind = DeviceType(word)
        device = CLASSES[kind](EUI64_OF[kind], profile_of(kind), rtds_ring(), network)
    device.handle(DeviceEvent.POWER_ON, None, UtcMs(NOW - 3_600_000))
    for one in (device, device.gpf) if isinstance(device, Chf) else (device,):
        one.trust.wide_lengths = True
        one.trust.judges_validity = False
    return device


def hub_row(eui64: str, kind: str, hashed: str) -> dict[str, Any]:
    usual = [-35, -50, -100, 2, 39, 247, 1, 0, 100, 1, 1]
    return {
        "eui64": eui64, "device_type": kind, "last_heard": 0, "figures": usual,
        "hashed_key": hashed or None,
    }  # fmt: skip


def device_of(story: str) -> Device:
    """The device of a story, in its state."""
    told = stories()[story]
    device = made(told["device"])
    told = stories()[told["same_as"]] if "same_as" in told else told
    state = device.dump()
    state["next_counter"] = told.get("next_counter", 1)
    for role, counter in told.get("accepted", {}).items():
        state["accepted"] = {f"{PARTY_OF[role].hex}/command": counter}
    joins: Any = state["joins"]
    joins["checks_identity"] = told.get("checks_identity", True)
    joins["entries"] = [
        {"device": device_hex, "device_type": number, "method": "", "certificate": None}
        for device_hex, number in told.get("joined", [])
    ]
    if isinstance(device, Chf):
        _put_hub(told, state)
    if told.get("other_root"):
        trust: Any = state["trust"]
        trust["root"] = other_root().hex()
    device.load(state)
    return device


def _put_hub(told: dict[str, Any], state: dict[str, Any]) -> None:
    active = [
        {**row, "last_heard": from_datetime(row["last_heard"])} for row in told.get("active", [])
    ]
    entries = active or [hub_row(*row) for row in told.get("hub", [])]
    historic = [hub_row(*row) for row in told.get("historic", [])]
    state["device_log"] = {"entries": entries, "historic": historic}
    if "extended_pan_id" in told:
        state["joining"]["extended_pan_id"] = told["extended_pan_id"]


def give(device: Device, message: bytes, now: UtcMs = NOW) -> list[Effect]:
    event = DeviceEvent.WAN if isinstance(device, Chf) else DeviceEvent.GBCS
    return device.handle(event, message, now)


def moment_of(story: str) -> UtcMs:
    at = stories()[story].get("at")
    return NOW if at is None else from_datetime(at)


@dataclass(frozen=True, slots=True)
class Compared:
    """How a message sent compares with the given one."""

    word: str
    why: str = ""


def compare(sent: bytes, given: bytes) -> Compared:
    """``equal``, ``equal`` with the signature verified instead, ``same shape`` or ``other``."""
    if sent == given:
        return Compared("equal")
    ours, theirs = envelope.decode(sent), envelope.decode(given)
    same = envelope.signed_part(ours) == envelope.signed_part(theirs)
    both = bool(ours.signature) and bool(theirs.signature)
    if same and both and ours.mac is theirs.mac is None:
        judged = open_message(sent, rtds_ring(), acb=ACB)
        if isinstance(judged, Accepted):
            return Compared("equal", "signature verified instead")
        return Compared("other", "the signature does not hold")
    if ours.header != theirs.header:
        return Compared("other", f"header {ours.header} for {theirs.header}")
    return Compared("same shape", f"{ours.payload.hex()} for {theirs.payload.hex()}")


def play(story: str) -> Compared:
    """Give the command of a story to its device and compare the response."""
    command, response = vector(f"{story}_COMMAND"), vector(f"{story}_RESPONSE")
    assert command is not None, story
    assert response is not None, story
    effects = give(device_of(story), command, moment_of(story))
    sent = messages(effects)
    if not sent:
        notes = [dict(one.fields) for one in effects if isinstance(one, Note)]
        return Compared("refused", str(notes))
    return compare(sent[0], response)
