"""Every DLMS payload of the RTDS messages at hand goes through the codec and comes back."""

from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from emulator.codecs.dlms import access, axdr
from emulator.codecs.dlms.axdr import Data
from emulator.codecs.gbcs import envelope
from emulator.core.chance import Chance
from emulator.core.errors import MalformedFrameError
from tests.given import needs_rtds, rtds_messages

#: Kind -> decoder, encoder, and how many payloads the given part of RTDS 4.5.0 has at the least.
KINDS: dict[int, tuple[Callable[[bytes], Any], Callable[[Any], bytes], int]] = {
    0xD9: (access.decode_request, access.encode_request, 194),
    0xDA: (access.decode_response, access.encode_response, 147),
    0x0F: (access.decode_notification, access.encode_notification, 28),
}


@cache
def payloads() -> tuple[tuple[str, bytes], ...]:
    found = ((name, envelope.decode(data).payload) for name, data in rtds_messages())
    return tuple((name, payload) for name, payload in found if payload[0] in KINDS)


@needs_rtds
@pytest.mark.parametrize("tag", KINDS)
def test_every_payload_is_read_and_written_octet_for_octet(tag: int) -> None:
    decode, encode, least = KINDS[tag]
    count = 0
    for name, payload in payloads():
        if payload[0] == tag:
            assert encode(decode(payload)) == payload, name
            count += 1
    assert count >= least


def _data_of(value: Any) -> list[Data]:
    if isinstance(value, access.AccessRequest):
        selected = [item.selection.parameters for item in value.items if item.selection]
        return [item.data for item in value.items] + selected
    if isinstance(value, access.AccessResponse):
        return [result.data for result in value.results]
    return [value.body]


@needs_rtds
def test_every_value_in_them_comes_back_by_itself_and_no_truncation_of_it_does() -> None:
    chance = Chance(17).stream("cuts")
    tags: Counter[str] = Counter()
    for name, payload in payloads():
        for data in _data_of(KINDS[payload[0]][0](payload)):
            octets = axdr.encode(data)
            assert axdr.decode(octets) == data, name
            tags[data.tag.name] += 1
            with pytest.raises(MalformedFrameError):
                axdr.decode(octets[: chance.below(len(octets))])
    assert tags["COMPACT_ARRAY"] >= 8  # of the given part; the whole of RTDS has 18
    assert sum(tags.values()) > 1000


@needs_rtds
def test_no_truncation_or_extension_of_a_payload_is_read() -> None:
    chance = Chance(18).stream("cuts")
    for _name, payload in payloads():
        decode = KINDS[payload[0]][0]
        for damaged in (payload[: chance.below(len(payload))], payload[:-1], payload + b"\0"):
            with pytest.raises(MalformedFrameError):
                decode(damaged)
