"""Requests with one element damaged: refused by name or transformed, never an exception."""

from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st
from lxml import etree

from device_profiles.words import DeviceType
from emulator.codecs.gbcs import envelope
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.transforms.outcome import PreCommand, Refused
from harness.formats.duis.transforms.transform import transform
from tests.harness.formats.transforms import transforms_given as given
from tests.harness.formats.transforms.made_bodies import BODIES
from tests.sampling import examples

TEXTS = [
    "",
    "-1",
    "0",
    "1",
    "99999999999999999999",
    "x",
    "true",
    "2015-02-30T00:00:00Z",
    "25:00:00",
]


def damaged(document: bytes, data: Any) -> bytes:
    """Damage one element of the body: leave it out, repeat it, change its text or an attribute."""
    root = etree.fromstring(document)
    body = root.find("{*}Body")
    assert body is not None
    victim = data.draw(st.sampled_from(list(body.iterdescendants())))
    parent = victim.getparent()
    assert parent is not None
    match data.draw(st.sampled_from(["drop", "repeat", "text", "mark"])):
        case "drop":
            parent.remove(victim)
        case "repeat":
            parent.append(etree.fromstring(etree.tostring(victim)))
        case "text":
            victim.text = data.draw(st.sampled_from(TEXTS))
        case _:
            victim.set("index", data.draw(st.sampled_from(TEXTS)))
    return etree.tostring(root)


@pytest.mark.parametrize("row", sorted(BODIES), ids=" ".join)
@settings(max_examples=examples(20), deadline=None)
@drawn(data=st.data())
def test_a_damaged_body_is_refused_by_name_or_transformed(
    row: tuple[str, DeviceType], data: Any
) -> None:
    service, device = row
    identity = RequestId(given.SUPPLIER, given.TARGETS[device], 7)
    document = given.written(service, data.draw(BODIES[row]), identity)
    made = transform(damaged(document, data), given.context(twin=True))
    if isinstance(made, PreCommand):
        assert envelope.encode(envelope.decode(made.octets)) == made.octets
    else:
        assert isinstance(made, Refused)
        assert made.detail
