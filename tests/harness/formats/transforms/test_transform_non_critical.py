"""Payloads of commands that the DCC sends by itself, against the commands at hand."""

from dataclasses import replace

import pytest

from device_profiles.words import DeviceType
from emulator.codecs.gbcs import envelope
from emulator.core.ids import Eui64
from harness.formats.duis import requests
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.transforms.non_critical import payload_of
from harness.formats.duis.transforms.outcome import Context, Device, Refusal, Refused
from harness.formats.duis.transforms.payloads import Payload
from tests.given import needs_duis, needs_rtds
from tests.harness.formats.transforms import transforms_given as given

SAMPLES = [
    "CS01b_2.2_SUCCESS",
    "ECS62Add_7.9_SUCCESS",
    "ECS62Remove_7.10_SUCCESS",
    "CCS01_8.11_SUCCESS",
    "CCS02_8.11_SUCCESS",
    "CS02aMAC_6.24.1_SUCCESS",
    "CS02fMAC_6.24.1_SUCCESS",
    "CS03A2NonCritical_8.7.2_SUCCESS",
    "CS03B_8.7.2_SUCCESS",
    "CS03CNonCritical_8.7.2_SUCCESS",
    "CS04ACNonCritical_8.8.2_SUCCESS",
    "CS04B_8.8.2_SUCCESS",
    "CS07_8.9_SUCCESS",
]


def known(wanted: bytes, name: str) -> Context:
    """Return the given devices, and those that these samples name besides."""
    context = given.context()
    certificate = given.certificate_in(wanted) if name.startswith("CS03C") else None
    others = {
        Eui64.parse("00-DB-12-34-56-78-90-9C"): Device(DeviceType.GPF),
        Eui64.parse("00-DB-12-34-56-78-90-94"): Device(DeviceType.GSME, key_agreement=certificate),
    }
    return Context({**context.devices, **others}, context.at)


@needs_duis
@needs_rtds
@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_has_use_case_and_payload_of_the_command_at_hand(name: str) -> None:
    wanted = given.vector(f"{name}_COMMAND")
    env = envelope.decode(wanted)
    asked = given.renumbered(given.document(name), env.header.counter)
    made = payload_of(asked, known(wanted, name))
    assert isinstance(made, Payload), made
    assert made.code == env.header.other.message_code
    assert made.octets.hex() == env.payload.hex()


#: Samples of a change of credentials; certificates of some are newer than those of the command.
CREDENTIALS = [
    "CS02bACBByACB_8.5_SUCCESS",
    "CS02bNOByNOHandover_6.21_SUCCESS",
    "CS02bSupplierBySupplierHandover_6.21_SUCCESS",
    "CS02bSupplierByTransCoS_6.23_FUTURE_DATED_SUCCESS",
    "CS02bSupplierByTransCoS_6.23_IMMEDIATE_SUCCESS",
]


@needs_duis
@needs_rtds
@pytest.mark.parametrize("name", CREDENTIALS)
def test_a_change_of_credentials_is_that_of_the_command_at_hand(name: str) -> None:
    wanted = envelope.decode(given.vector(f"{name}_COMMAND"))
    document = given.with_certificates_of(given.vector(f"{name}_COMMAND"), given.document(name))
    asked = requests.read_request(document)
    spoken = RequestId(wanted.header.originator, wanted.header.target, wanted.header.counter)
    spoken_as = replace(asked, header=replace(asked.header, request_id=spoken))
    made = payload_of(spoken_as, given.context())
    assert isinstance(made, Payload), made
    assert made.code == wanted.header.other.message_code
    assert made.octets.hex() == wanted.payload.hex()


@needs_duis
def test_a_critical_sample_and_a_broken_one_are_refused_by_name() -> None:
    critical = payload_of(given.document("ECS42_7.1_SUCCESS"), given.context())
    broken = payload_of(b"<no/>", given.context())
    hub = payload_of(given.document("CCS06_8.9_SUCCESS"), given.context())
    assert isinstance(critical, Refused)
    assert isinstance(broken, Refused)
    assert isinstance(hub, Refused)
    reasons = (critical.reason, broken.reason, hub.reason)
    assert reasons == (Refusal.NO_TRANSFORM, Refusal.MALFORMED, Refusal.NO_TRANSFORM)
