from pathlib import Path

import pytest

from device_profiles.words import DeviceType
from emulator.codecs.gbcs.envelope import OtherInformation
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore
from emulator.crypto.protection import KeyRing
from harness.formats.duis import bodies
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
