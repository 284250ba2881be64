"""Responses and alerts of the RTDS come out of device state."""

from datetime import UTC, datetime
from typing import Any

import pytest

from device_profiles.words import DeviceType
from emulator.codecs.gbcs import envelope
from emulator.codecs.gbcs.alerts import AlertCode
from emulator.codecs.zcl import ota
from emulator.core.clock import UtcMs, from_datetime
from emulator.core.effects import DeviceEvent, Effect, ZclIndication
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore, KeyUsage
from emulator.crypto.protection import Accepted, KeyRing, open_message
from emulator.devices.base import Device
from emulator.devices.chf.chf import Chf
from emulator.devices.firmware_device import FirmwareDevice
from emulator.devices.registry import CLASSES
from tests.emulator.devices.kit import (
    ACB,
    CHF,
    ESME,
    EUI64_OF,
    GPF,
    GSME,
    HAN,
    NETWORK,
    PPMID,
    image,
    key,
    messages,
    profile_of,
)
from tests.given import RTDS_DIR, RTDS_KEYS, needs_rtds

pytestmark = needs_rtds

NEW_YEAR_2015 = from_datetime(datetime(2015, 1, 1, tzinfo=UTC))
NEW_YEAR_2030 = from_datetime(datetime(2030, 1, 15, 9, 0, 0, tzinfo=UTC))
CS06_HASH = "aa758690730934ff0685aa758690730934ff0685657788990011223344556677"


@pytest.fixture(scope="module")
def ring() -> KeyRing:
    """The RTDS keys; devices, of which no private key is published, sign with generated ones."""
    store = KeyStore.load(RTDS_KEYS)
    return KeyRing(store.merged(KeyStore(key(eui64, KeyUsage.DS) for eui64 in (*HAN, CHF, GPF))))


def vector(name: str) -> bytes:
    found = sorted(RTDS_DIR.glob(f"RTDS-*/*/{name}.HEX"))
    if not found:
        pytest.skip(f"{name} is not among the vectors at hand")
    return bytes.fromhex(found[0].read_text("ascii"))


def device(ring: KeyRing, device_type: DeviceType, **state: Any) -> Device:
    """A device from its gfi profile, running, with parts of its state loaded."""
    made = CLASSES[device_type](EUI64_OF[device_type], profile_of(device_type), ring, NETWORK)
    if isinstance(made, Chf):
        made.commission(HAN)
    made.handle(DeviceEvent.POWER_ON, None, UtcMs(NEW_YEAR_2015 - 3_600_000))
    made.load({**made.dump(), **state})
    return made


def pending(version: str, image_hash: str) -> dict[str, Any]:
    return {
        "running": "0123abcd",
        "previous": None,
        "pending": {
            "version": version,
            "manufacturer_image_hash": image_hash,
            "size_bytes": 1000,
            "image_type": 0,
            "hardware_min": None,
            "hardware_max": None,
        },
    }


def same_but_signature(sent: bytes, given: bytes, ring: KeyRing) -> None:
    """All octets but the signature, which verifies under the device's generated key."""
    ours, theirs = envelope.decode(sent), envelope.decode(given)
    assert envelope.signed_part(ours) == envelope.signed_part(theirs)
    assert len(ours.signature or b"") == len(theirs.signature or b"") == 64
    assert ours.mac is theirs.mac is None
    assert isinstance(open_message(sent, ring, acb=ACB), Accepted)


def answer(made: Device, given_command: bytes, now: UtcMs = NEW_YEAR_2015) -> list[Effect]:
    event = DeviceEvent.WAN if made.eui64 == CHF else DeviceEvent.GBCS
    return made.handle(event, given_command, now)


@pytest.mark.parametrize(
    ("device_type", "name"),
    [
        (DeviceType.ESME, "ECS52_11.2_SUCCESS"),
        (DeviceType.GSME, "GCS38_11.2_SUCCESS"),
        (DeviceType.PPMID, "CS08_11.2_SUCCESS"),
        (DeviceType.ESME, "ECS45_7.4_SUCCESS"),
    ],
)
def test_a_read_is_answered_octet_for_octet(
    ring: KeyRing, device_type: DeviceType, name: str
) -> None:
    made = device(ring, device_type)
    sent = messages(answer(made, vector(f"{name}_COMMAND_GBCS")))
    assert sent == [vector(f"{name}_RESPONSE_GBCS")]


@pytest.mark.parametrize(
    ("device_type", "name", "state"),
    [
        (DeviceType.GSME, "GCS32_7.2_SUCCESS", {}),
        (DeviceType.GSME, "GCS32_7.2_ERROR", {"valve_stuck": True}),
        (DeviceType.ESME, "ECS42_7.1_SUCCESS", {"switch": "armed"}),
    ],
)
def test_a_supply_command_is_answered_and_signed(
    ring: KeyRing, device_type: DeviceType, name: str, state: dict[str, Any]
) -> None:
    made = device(ring, device_type, **state)
    [sent] = messages(answer(made, vector(f"{name}_COMMAND_GBCS")))
    same_but_signature(sent, vector(f"{name}_RESPONSE_GBCS"), ring)


def test_the_device_log_is_read_octet_for_octet(ring: KeyRing) -> None:
    def entry(eui64: Eui64, device_type: str, minute: int, figures: list[int]) -> dict[str, Any]:
        heard = from_datetime(datetime(2014, 12, 31, 23, minute, tzinfo=UTC))
        return {
            "eui64": eui64.hex, "device_type": device_type, "last_heard": heard,
            "figures": [*figures, 1, 0, 100, 1, 1],
        }  # fmt: skip

    entries = [
        entry(ESME, "ESME", 50, [-35, -50, -100, 2, 39, 247]),
        entry(GSME, "GSME", 40, [-34, -54, -77, 1, 96, 205]),
    ]
    log = {"entries": entries, "historic": []}
    made = device(ring, DeviceType.CHF, device_log=log)
    given = vector("CCS05CCS04_8.9_SUCCESS_COMMAND_GBCS")
    assert messages(answer(made, given)) == [vector("CCS05CCS04_8.9_SUCCESS_RESPONSE_GBCS")]
    given = vector("CCS06_8.9_SUCCESS_COMMAND_GBCS")
    made.accepted.clear()  # the vectors are separate runs with one counter
    assert messages(answer(made, given)) == [vector("CCS06_8.9_SUCCESS_RESPONSE_GBCS")]


def test_an_immediate_activation_is_answered_when_it_is_over(ring: KeyRing) -> None:
    made = device(ring, DeviceType.ESME, slots=pending("0123abce", CS06_HASH))
    minute = made.profile.firmware.activation_s * 1000
    asked = UtcMs(NEW_YEAR_2015 - minute)
    assert messages(answer(made, vector("CS06_11.3_IMMEDIATE_SUCCESS_COMMAND_GBCS"), asked)) == []
    sent = messages(made.handle(DeviceEvent.TIMER, "activation.finish", NEW_YEAR_2015))
    same_but_signature(sent[0], vector("CS06_11.3_IMMEDIATE_SUCCESS_RESPONSE_GBCS"), ring)


def test_a_future_dated_activation_is_accepted_and_told_at_its_time(ring: KeyRing) -> None:
    made = device(ring, DeviceType.ESME, slots=pending("0123abcf", CS06_HASH), next_counter=2000)
    [sent] = messages(answer(made, vector("CS06_11.3_FUTURE_DATED_SUCCESS_COMMAND_GBCS")))
    same_but_signature(sent, vector("CS06_11.3_FUTURE_DATED_SUCCESS_RESPONSE_GBCS"), ring)
    assert made.timers["activation.execute"] == NEW_YEAR_2030
    assert messages(made.handle(DeviceEvent.TIMER, "activation.execute", NEW_YEAR_2030)) == []
    done = UtcMs(NEW_YEAR_2030 + 60_000)
    sent_later = messages(made.handle(DeviceEvent.TIMER, "activation.finish", done))
    same_but_signature(
        sent_later[0], vector("CS06_11.3_8F66_FUTURE_DATED_SUCCESS_ALERT_GBCS"), ring
    )


def test_a_cancellation_is_answered_and_leaves_the_image(ring: KeyRing) -> None:
    made = device(ring, DeviceType.ESME, slots=pending("0123abcf", CS06_HASH))
    answer(made, vector("CS06_11.3_FUTURE_DATED_SUCCESS_COMMAND_GBCS"))
    [sent] = messages(answer(made, vector("CS06_11.3_CANCELLATION_SUCCESS_COMMAND_GBCS")))
    same_but_signature(sent, vector("CS06_11.3_CANCELLATION_SUCCESS_RESPONSE_GBCS"), ring)
    assert isinstance(made, FirmwareDevice)
    assert made.activation.scheduled is None
    assert made.slots.pending is not None
    assert "activation.execute" not in made.timers


def test_the_receipt_of_an_image_is_told_with_the_calculated_hash(ring: KeyRing) -> None:
    made = device(ring, DeviceType.ESME, slots=pending("0123abce", "01" * 32), next_counter=2000)
    assert isinstance(made, FirmwareDevice)
    assert made.slots.pending is not None
    calculated = made.slots.pending.manufacturer_image_hash
    [sent] = messages(made.tell_receipt(AlertCode.FIRMWARE_VERIFIED, calculated, NEW_YEAR_2015))
    same_but_signature(sent, vector("FDRA-DLMS_NA_8F72_ALERT_GBCS"), ring)


def test_a_firmware_transfer_is_told_by_the_hub(ring: KeyRing) -> None:
    octets = image(DeviceType.PPMID, version=bytes.fromhex("0123abcd"))
    held = {"image_id": 1, "request_id": "r", "octets": octets.hex(), "targets": [PPMID.hex]}
    serving = {
        "target": PPMID.hex, "device_type": "PPMID", "state": "SERVING", "image_id": 1,
        "offset": len(octets), "served_from": 0, "last_heard": 0, "page": None,
    }  # fmt: skip
    made = device(
        ring,
        DeviceType.CHF,
        next_counter=4000,
        store={"held": [held], "incoming": []},
        server={"deliveries": [serving], "busy_until": None},
    )
    end = ota.UpgradeEndRequest(ota.OtaStatus.SUCCESS, 0x121D, 0x0084, 0x0123ABCD)
    arrived = ZclIndication(PPMID, CHF, ota.CLUSTER, ota.encode(end, 1))
    [sent] = messages(made.handle(DeviceEvent.ZCL, arrived, NEW_YEAR_2015))
    same_but_signature(sent, vector("CCS08_NA_NA_ALERT_GBCS"), ring)


def test_every_pre_command_at_hand_is_refused_as_unauthenticated(ring: KeyRing) -> None:
    made = device(ring, DeviceType.ESME, slots=pending("0123abce", CS06_HASH))
    before = made.dump()
    for story in ("IMMEDIATE", "FUTURE_DATED", "CANCELLATION"):
        effects = answer(made, vector(f"CS06_11.3_{story}_SUCCESS_PRECOMMAND_GBCS"))
        assert [dict(e.fields)["reason"] for e in effects] == ["unauthenticated"]  # type: ignore[union-attr]
    assert made.dump() == before
