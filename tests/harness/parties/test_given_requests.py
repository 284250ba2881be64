"""The given requests and keys, through the whole DSP."""

import asyncio
from datetime import UTC, datetime

import pytest

from device_profiles import installation, loader
from device_profiles.cpl import load_cpl
from device_profiles.words import DeviceType
from emulator.codecs.gbcs import envelope
from emulator.core.clock import from_datetime
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore
from emulator.crypto.protection import Accepted, KeyRing, open_message
from harness.formats.duis.requests import ServiceRequest, read_request
from harness.formats.duis.responses import read_response
from harness.parties.acb import Acb
from harness.parties.dsp import Dsp
from harness.parties.enrolment import enrol
from harness.parties.post import Post
from harness.parties.received import Kind
from harness.parties.supplier import Supplier
from tests.given import RTDS_KEYS, needs_duis, needs_rtds
from tests.harness.formats.transforms.transforms_given import with_certificates_of
from tests.harness.parties.party_world import BOTH, FixedClock, ScriptedHub
from tests.harness.parties.test_transform import sample, vector

ACB = Eui64.parse("90-B3-D5-1F-30-00-00-02")
SUPPLIER = Eui64.parse("90-B3-D5-1F-30-01-00-00")
GAINING = Eui64.parse("90-B3-D5-1F-30-03-00-00")
CHANGE = "CS02bSupplierByTransCoS_6.23_IMMEDIATE_SUCCESS"


class GivenWorld:
    """Parties with the given keys around the reference installation."""

    def __init__(self) -> None:
        home = installation.load("gfi")
        profiles = {one.profile: loader.load_profile(one.profile) for one in home.devices}
        ring = KeyRing(KeyStore.from_json(RTDS_KEYS))
        clock = self.clock = FixedClock()
        self.hub = ScriptedHub(clock, Eui64.parse(home.of(DeviceType.CHF)[0].eui64))
        post = Post(clock)
        acb = Acb(ACB, ring, last_counter=0x513)
        self.dsp = Dsp(acb, enrol(home, profiles), load_cpl(), post)
        self.supplier = Supplier(SUPPLIER, BOTH, ring, post, acb=ACB)
        self.dsp.register(self.supplier)
        self.ring = ring

        self.gaining = Supplier(GAINING, BOTH, ring, post, acb=ACB)
        self.dsp.register(self.gaining)

    def submit(self, document: bytes) -> bytes:
        self.supplier.adopt(read_request(document))
        return self.dsp.submit(document, SUPPLIER)

    def change(self, given: bytes, document: bytes) -> bytes:
        """Submit a 6.23 with certificates of a command, as the supplier whose they are."""
        self.clock.at = from_datetime(datetime(2024, 1, 1, tzinfo=UTC))  # they hold then
        octets = with_certificates_of(given, document)
        octets = octets.replace(str(SUPPLIER).encode() + b":", str(GAINING).encode() + b":")
        return self.dsp.submit(octets, GAINING)


@needs_duis
@needs_rtds
@pytest.mark.parametrize("use_case", ["ECS52", "GCS38", "CS08"])
def test_a_given_read_request_reaches_the_hub_as_the_given_command(use_case: str) -> None:
    world = GivenWorld()
    got = world.supplier.take(world.submit(sample(f"{use_case}_11.2_SUCCESS")))
    assert got.kind is Kind.ACKNOWLEDGEMENT
    asyncio.run(world.dsp.carry_out(world.hub))
    assert world.hub.got == [vector(f"{use_case}_11.2_SUCCESS_COMMAND")]


@needs_duis
@needs_rtds
@pytest.mark.parametrize("use_case", ["ECS52", "GCS38", "CS08"])
def test_the_given_response_comes_back_to_the_one_who_asked(use_case: str) -> None:
    world = GivenWorld()
    world.submit(sample(f"{use_case}_11.2_SUCCESS"))
    routed = world.dsp.take(vector(f"{use_case}_11.2_SUCCESS_RESPONSE"))
    assert (routed.kind, routed.receiver) == ("response", SUPPLIER)
    got = world.supplier.last(Kind.RESPONSE)
    assert got is not None
    assert (got.accepted, got.trouble) == (True, "")


@needs_duis
@needs_rtds
@pytest.mark.parametrize("story", ["IMMEDIATE", "FUTURE_DATED", "CANCELLATION"])
def test_a_given_activation_is_returned_signed_and_sent_as_given_but_for_the_signature(
    story: str,
) -> None:
    world = GivenWorld()
    got = world.supplier.take(world.submit(sample(f"CS06_11.3_{story}_SUCCESS")))
    content = getattr(got.response.body, "content", None)
    assert getattr(content, "gbcs_payload", None) == vector(f"CS06_11.3_{story}_SUCCESS_PRECOMMAND")
    signed = world.supplier.sign(got)
    assert isinstance(signed, ServiceRequest)
    world.dsp.submit(world.supplier.send(signed), SUPPLIER)
    asyncio.run(world.dsp.carry_out(world.hub))
    ours = envelope.decode(world.hub.got[0])
    given = envelope.decode(vector(f"CS06_11.3_{story}_SUCCESS_COMMAND"))
    assert (ours.header, ours.payload) == (given.header, given.payload)
    assert isinstance(open_message(world.hub.got[0], world.ring, acb=ACB), Accepted)


@needs_rtds
def test_the_given_future_dated_outcome_is_delivered_and_believed() -> None:
    world = GivenWorld()
    routed = world.dsp.take(vector("CS06_11.3_8F66_FUTURE_DATED_SUCCESS_ALERT"))
    assert routed.kind == "future-dated-outcome"
    got = world.supplier.last(Kind.FUTURE_DATED_OUTCOME)
    assert got is not None
    assert got.accepted


@needs_rtds
@pytest.mark.parametrize("name", ["FDRA-DLMS", "CCS08"])
def test_a_given_firmware_alert_is_routed(name: str) -> None:
    world = GivenWorld()
    path = next(RTDS_KEYS.parent.glob(f"RTDS-*/NA_{name}/*ALERT*.HEX"))
    routed = world.dsp.take(bytes.fromhex(path.read_text("ascii")))
    assert routed.kind in {"device-alert", "comms-hub-alert"}
    assert world.supplier.alerts()


@needs_duis
@needs_rtds
def test_a_change_of_supplier_is_signed_by_the_party_that_may_and_sent_as_given() -> None:
    world = GivenWorld()
    world.dsp.acb.transitional_cos = Eui64.parse("90-B3-D5-1F-30-00-00-04")
    world.dsp.acb.counter = 6000
    given = vector(f"{CHANGE}_COMMAND")
    world.change(given, sample(CHANGE))
    asyncio.run(world.dsp.carry_out(world.hub))
    ours, theirs = envelope.decode(world.hub.got[0]), envelope.decode(given)
    assert (ours.header, ours.payload) == (theirs.header, theirs.payload)
    assert isinstance(open_message(world.hub.got[0], world.ring, acb=ACB), Accepted)


@needs_duis
@needs_rtds
def test_a_change_of_supplier_with_another_s_certificates_is_refused() -> None:
    document = GivenWorld().submit(sample(CHANGE))
    assert read_response(document).header.code == "E062302"


@needs_duis
@needs_rtds
def test_nobody_changes_a_supplier_where_that_party_is_not_played() -> None:
    world = GivenWorld()
    document = world.change(vector(f"{CHANGE}_COMMAND"), sample(CHANGE))
    assert read_response(document).header.code == "E100"
    assert world.dsp.decisions[-1].category == "not-transformed"
