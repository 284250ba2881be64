from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.dlms import access, declaration
from emulator.codecs.gbcs import envelope
from emulator.core.chance import Chance
from emulator.core.errors import MalformedFrameError
from tests.given import needs_rtds, rtds_messages
from tests.sampling import examples

FAST: dict[int, Callable[[bytes], object]] = {
    0xD9: access.decode_request,
    0xDA: access.decode_response,
    0x0F: access.decode_notification,
}
#: Written by hand: every type, both structures, a compact array, a selection.
REQUEST = (
    "d9 200003e8 00 02 01 0001 0000000201ff 02 04 0007 0000000201ff 02 01 120007 "
    "02 00 13 0202 12 01 0002 09 0c 0001 01aa 00 0002 03aabbcc 00"
)
RESPONSE = "da 200003e8 00 00 02 0202 0405a8 0101 05fffffffe 16 02 02 0100 03fa"
NOTIFICATION = (
    "0f 200007d0 00 0209 128f72 090101 0a024f4b 0c00 0f80 10fffe 03ff "
    "14ffffffffffffffff 19000000000000000000000000"
)
OCTETS = [bytes.fromhex(text) for text in (REQUEST, RESPONSE, NOTIFICATION)]


def both(octets: bytes) -> tuple[object, object]:
    results: list[object] = []
    for decode in (FAST.get(octets[0] if octets else 0), declaration.decode):
        try:
            results.append(decode(octets) if decode else None)
        except MalformedFrameError:
            results.append(None)
    return results[0], results[1]


@pytest.mark.parametrize("octets", OCTETS)
def test_the_declaration_reads_what_the_fast_path_reads(octets: bytes) -> None:
    fast, declared = both(octets)
    assert fast is not None
    assert fast == declared


@pytest.mark.parametrize("octets", OCTETS)
def test_both_judge_every_damaged_copy_alike(octets: bytes) -> None:
    damaged = [octets[:cut] for cut in range(len(octets))] + [octets + b"\0"]
    for at in range(len(octets)):
        for bit in range(8):
            spoiled = bytearray(octets)
            spoiled[at] ^= 1 << bit
            damaged.append(bytes(spoiled))
    for copy in damaged:
        fast, declared = both(copy)
        assert fast == declared, copy.hex()


@settings(max_examples=examples(200), deadline=None)
@given(tag=st.sampled_from(sorted(FAST)), body=st.binary(max_size=40))
def test_both_judge_any_octets_alike(tag: int, body: bytes) -> None:
    fast, declared = both(bytes((tag, 0x20, 0, 0, 1, 0)) + body)
    assert fast == declared


@needs_rtds
def test_both_agree_on_the_given_payloads_and_on_spoiled_copies() -> None:
    chance = Chance(9).stream("dlms")
    seen = 0
    for name, data in rtds_messages():
        payload = envelope.decode(data).payload
        if payload[0] not in FAST:
            continue
        seen += 1
        if seen % 4 == 0 or len(payload) < 60:  # the declaration is slow; a quarter will do
            fast, declared = both(payload)
            assert fast is not None, name
            assert fast == declared, name
            spoiled = bytearray(payload)
            spoiled[chance.below(len(spoiled))] ^= 1 << chance.below(8)
            fast, declared = both(bytes(spoiled))
            assert fast == declared, name
    assert seen > 0
