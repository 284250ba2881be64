from pathlib import Path

import pytest

from device_profiles.words import DeviceType
from emulator.codecs.gbcs import asn1, envelope
from emulator.codecs.gbcs.envelope import OtherInformation
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore
from emulator.crypto.protection import KeyRing
from harness.formats.duis import bodies, date_time
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.requests import read_request, request
from harness.parties import transform
from harness.parties.acb import Acb
from tests.given import DUIS_DIR, RTDS_DIR, RTDS_KEYS, needs_duis, needs_rtds

ACB = Eui64.parse("90-B3-D5-1F-30-00-00-02")
SUPPLIER = Eui64.parse("90-B3-D5-1F-30-01-00-00")
ESME = Eui64.parse("00-DB-12-34-56-78-90-A0")


def vector(name: str) -> bytes:
    path: Path = next(RTDS_DIR.glob(f"RTDS-*/*/{name}_GBCS.HEX"))
    return bytes.fromhex(path.read_text("ascii"))


def sample(name: str) -> bytes:
    return (DUIS_DIR / "requests" / f"{name}_REQUEST_DUIS.XML").read_bytes()


@needs_duis
@needs_rtds
@pytest.mark.parametrize("story", ["IMMEDIATE", "FUTURE_DATED", "CANCELLATION"])
def test_a_given_11_3_request_becomes_the_given_pre_command_octet_for_octet(story: str) -> None:
    asked = read_request(sample(f"CS06_11.3_{story}_SUCCESS"))
    assert transform.pre_command(asked) == vector(f"CS06_11.3_{story}_SUCCESS_PRECOMMAND")


@needs_duis
@needs_rtds
@pytest.mark.parametrize(
    ("use_case", "device_type", "acb_counter"),
    [
        ("ECS52", DeviceType.ESME, 0),
        ("GCS38", DeviceType.GSME, 0),
        ("CS08", DeviceType.PPMID, 0x514),
    ],
)
def test_a_given_11_2_request_becomes_the_given_command_octet_for_octet(
    use_case: str, device_type: DeviceType, acb_counter: int
) -> None:
    asked = read_request(sample(f"{use_case}_11.2_SUCCESS"))
    env = transform.read_command(
        asked, device_type, requester=SUPPLIER, acb=ACB, acb_counter=acb_counter
    )
    acb = Acb(ACB, KeyRing(KeyStore.from_json(RTDS_KEYS)))
    assert acb.protect(env) == vector(f"{use_case}_11.2_SUCCESS_COMMAND")


@pytest.mark.parametrize("device_type", sorted(transform.THROUGH_ACB))
def test_devices_of_the_broker_are_spoken_to_by_the_broker(device_type: DeviceType) -> None:
    asked = request(bodies.ReadFirmwareVersion(), RequestId(SUPPLIER, ESME, 7))
    env = transform.read_command(asked, device_type, requester=SUPPLIER, acb=ACB, acb_counter=31)
    assert (env.header.originator, env.header.counter) == (ACB, 31)
    code = transform.READ_VERSION[device_type]
    assert env.header.other == OtherInformation(code, SUPPLIER, 7)


def test_the_duis_cancel_date_and_the_gbcs_one_stand_for_each_other_and_nothing_else() -> None:
    assert transform.gbcs_time(date_time.CANCEL) == asn1.CANCEL_TIME
    assert transform.gbcs_time(UtcMs(date_time.CANCEL + 1000)) == date_time.CANCEL + 1000
    assert transform.gbcs_time(None) is None
    asked = request(
        bodies.ActivateFirmware(bytes(32), date_time.CANCEL), RequestId(SUPPLIER, ESME, 7)
    )
    assert b"99991231235959Z" in transform.pre_command(asked)


def test_only_a_critical_request_has_a_pre_command() -> None:
    asked = request(bodies.ReadFirmwareVersion(), RequestId(SUPPLIER, ESME, 7))
    with pytest.raises(TypeError):
        transform.pre_command(asked)


def test_a_pre_command_has_neither_signature_field_nor_mac() -> None:
    asked = request(bodies.ActivateFirmware(bytes(32)), RequestId(SUPPLIER, ESME, 2**63))
    env = envelope.decode(transform.pre_command(asked))
    assert (env.signature, env.mac) == (None, None)
    assert env.header.other.message_code == MessageCode.CS06
