"""Payloads of commands that the DCC sends by itself, against the commands at hand."""

import pytest

from device_profiles.words import DeviceType
from emulator.codecs.gbcs import envelope
from emulator.core.ids import Eui64
from harness.formats.duis.transforms.non_critical import payload_of
from harness.formats.duis.transforms.outcome import Context, Device, Refusal, Refused
from harness.formats.duis.transforms.payloads import Payload
from tests.given import needs_duis, needs_rtds
from tests.harness.formats.transforms import transforms_given as given

SAMPLES = [
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
    made = payload_of(given.document(name), known(wanted, name))
    assert isinstance(made, Payload), made
    env = envelope.decode(wanted)
    assert made.code == env.header.other.message_code
    assert made.octets.hex() == env.payload.hex()


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
