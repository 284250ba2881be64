"""RTDS devices as the published state has them, and how their answers compare with the given."""

from functools import cache
from pathlib import Path
from typing import Any, Final

from device_profiles.words import DeviceType
from emulator.core.chance import Stream
from emulator.core.clock import UtcMs, from_datetime
from emulator.core.effects import DeviceEvent, Effect
from emulator.crypto.pki import TestPki as Pki
from emulator.devices.base import Device
from emulator.devices.chf.chf import Chf
from emulator.devices.hcalcs.hcalcs import Hcalcs
from emulator.devices.registry import CLASSES
from tests.emulator.devices.kit import EUI64_OF, GPF, NETWORK, profile_of
from tests.emulator.devices.rtds_kit import (
    LOAD_CONTROLLER,
    NETWORK_OF_RTDS,
    NOW,
    SAPC,
    Compared,
    compare_response,
    rtds_ring,
    stories_of,
    vector,
    write_as_the_rtds,
)

HERE: Final = Path(__file__).parent
STATE: Final = HERE / "rtds-credentials.toml"
#: Role in a story's ``accepted`` -> party.
PARTY_OF: Final = {
    "network_operator": NETWORK.network_operators[GPF],
    "load_controller": LOAD_CONTROLLER,
}


def stories() -> dict[str, Any]:
    """What the device of each story has beside its profile."""
    return stories_of(STATE)


@cache
def other_root() -> bytes:
    """The certificate of a root that issued nothing of the RTDS."""
    return Pki.new(Stream(11, "other-root").octets, NOW).root.certificate


def made(word: str, network: Any = NETWORK_OF_RTDS) -> Device:
    """A device of the RTDS, running since an hour."""
    if word == "SAPC":
        device: Device = Hcalcs(SAPC, profile_of(DeviceType.HCALCS), rtds_ring(), network)
    elif word == "GPF":
        hub = made("CHF", network)
        assert isinstance(hub, Chf)
        return hub.gpf
    else:
        kind = DeviceType(word)
        device = CLASSES[kind](EUI64_OF[kind], profile_of(kind), rtds_ring(), network)
    device.handle(DeviceEvent.POWER_ON, None, UtcMs(NOW - 3_600_000))
    for one in (device, device.gpf) if isinstance(device, Chf) else (device,):
        write_as_the_rtds(one)
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


def play(story: str) -> Compared:
    """Give the command of a story to its device and compare the response."""
    command, response = vector(f"{story}_COMMAND"), vector(f"{story}_RESPONSE")
    assert command is not None, story
    assert response is not None, story
    return compare_response(give(device_of(story), command, moment_of(story)), response)
