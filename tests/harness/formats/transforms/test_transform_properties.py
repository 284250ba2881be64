"""Every critical variant of the schema, with drawn values: valid, transformed, decodable."""

from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from device_profiles.duis_services import load_duis_services
from device_profiles.words import DeviceType
from emulator.codecs.gbcs import envelope, payload
from emulator.codecs.gbcs.envelope import Cra
from emulator.codecs.gbcs.use_cases import MESSAGES
from harness.formats.duis import requests
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.transforms.outcome import PreCommand
from harness.formats.duis.transforms.table import RULES
from harness.formats.duis.transforms.transform import read_body, transform
from tests.given import needs_duis
from tests.harness.formats.duis_given import is_valid
from tests.harness.formats.transforms import transforms_given as given
from tests.harness.formats.transforms.made_bodies import BODIES
from tests.sampling import examples

#: Transforms that carry certificates or partners: the given samples show them.
SAMPLED = {"6.15.1", "6.15.2", "8.7.1", "8.8.1", "11.3"}
ROWS = sorted(BODIES)


def test_every_critical_service_of_the_schema_has_a_transform() -> None:
    critical = {row.service for row in load_duis_services().values() if row.critical}
    assert critical == {service for service, _device in RULES}


def test_every_transform_at_a_meter_is_drawn_here_or_sampled() -> None:
    meters = {row for row in RULES if row[1] in given.TARGETS}
    assert {row for row in meters if row[0] not in SAMPLED | {"6.17", "6.24.2"}} <= set(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=" ".join)
@settings(max_examples=examples(12), deadline=None)
@drawn(data=st.data(), counter=st.integers(0, 2**64 - 1))
def test_any_body_becomes_a_pre_command_of_its_use_case_that_decodes(
    row: tuple[str, DeviceType], data: Any, counter: int
) -> None:
    service, device = row
    body = data.draw(BODIES[row])
    identity = RequestId(given.SUPPLIER, given.TARGETS[device], counter)
    asked = given.asked(service, body, identity)
    later = data.draw(st.booleans())
    made = transform(asked, given.context(twin=True, later=later))
    assert isinstance(made, PreCommand), made
    env = envelope.decode(made.octets)
    header = env.header
    assert (env.signature, env.mac, header.cra) == (None, None, Cra.COMMAND)
    assert (header.originator, header.target, header.counter) == (
        identity.originator,
        identity.target,
        counter,
    )
    assert MESSAGES[made.code].use_case in RULES[row].use_cases.split()
    value = payload.decode_payload(MESSAGES[made.code], Cra.COMMAND, env.payload)
    assert payload.encode_payload(value) == env.payload


@needs_duis
@pytest.mark.parametrize("row", ROWS, ids=" ".join)
@settings(max_examples=examples(5), deadline=None)
@drawn(data=st.data())
def test_any_body_is_written_as_the_schema_wants_it_and_read_back(
    row: tuple[str, DeviceType], data: Any
) -> None:
    service, device = row
    body = data.draw(BODIES[row])
    document = given.written(service, body, RequestId(given.SUPPLIER, given.TARGETS[device], 7))
    assert is_valid(document), given.complaint(document)
    assert read_body(requests.read_request(document).body, RULES[row]) == body
