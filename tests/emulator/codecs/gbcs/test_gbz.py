from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.gbcs import envelope, gbz, gbz_declaration
from emulator.codecs.gbcs.envelope import Cra
from emulator.codecs.gbcs.gbz import GbzAlert, GbzComponent, GbzMessage
from emulator.core.chance import Chance
from emulator.core.clock import UtcMs, from_zigbee_seconds
from emulator.core.errors import MalformedFrameError
from tests.given import needs_rtds, rtds_messages
from tests.sampling import examples

AT = from_zigbee_seconds(0x1C374A80)
BLOCK = gbz.BLOCK_HEADER + b"cipher" + bytes(12)
MESSAGE = GbzMessage(
    (
        GbzComponent(0x0702, 0x01, 0, 0x0B, b"\xaa"),
        GbzComponent(0x0705, 0x19, 1, 0x06, BLOCK, frame_counter=0),
        GbzComponent(0x0705, 0x19, 2, 0x06, BLOCK, frame_counter=1, from_time=AT),
        GbzComponent(0x0700, 0x00, 3, 0x00, from_time=AT),
    )
)
#: Written by hand from the layout of gbcs.md section 8.
OCTETS = bytes.fromhex(
    "0109 04"
    "00 0702 0004 01000b aa"
    "02 0705 001e 0000 190106 0017 3100000000 636970686572 000000000000000000000000"
    "12 0705 0022 0001 1c374a80 190206 0017 3100000000 636970686572 000000000000000000000000"
    "11 0700 0007 1c374a80 000300"
)
SECONDS = st.integers(0, (1 << 32) - 1)
COMPONENTS = st.builds(
    GbzComponent,
    cluster=st.integers(0, 0xFFFF),
    frame_control=st.integers(0, 255).map(lambda control: control & ~0x04),
    sequence=st.integers(0, 255),
    command=st.integers(0, 255),
    payload=st.binary(max_size=60),
    from_time=st.none() | SECONDS.map(from_zigbee_seconds),
) | st.builds(
    GbzComponent,
    cluster=st.just(0x0702),
    frame_control=st.just(0x19),
    sequence=st.integers(0, 255),
    command=st.just(6),
    payload=st.binary(min_size=12, max_size=300).map(lambda rest: gbz.BLOCK_HEADER + rest),
    frame_counter=st.integers(0, 255),
    from_time=st.none() | SECONDS.map(from_zigbee_seconds),
)
MESSAGES = st.lists(COMPONENTS, min_size=1, max_size=6).map(lambda c: GbzMessage(tuple(c)))


def test_a_message_is_written_as_the_layout_says() -> None:
    assert gbz.encode(MESSAGE) == OCTETS
    assert gbz.decode(OCTETS) == MESSAGE


@settings(max_examples=examples(150), deadline=None)
@given(message=MESSAGES)
def test_any_message_survives_both_ways_and_both_paths(message: GbzMessage) -> None:
    octets = gbz.encode(message)
    assert gbz.decode(octets) == message
    assert gbz_declaration.decode(octets) == message
    assert gbz_declaration.encode(message) == octets


def decoded(octets: bytes) -> tuple[GbzMessage | None, GbzMessage | None]:
    results: list[GbzMessage | None] = []
    for decode in (gbz.decode, gbz_declaration.decode):
        try:
            results.append(decode(octets))
        except MalformedFrameError:
            results.append(None)
    return results[0], results[1]


def test_both_paths_agree_on_every_octet_spoiled() -> None:
    accepted = 0
    for at in range(len(OCTETS)):
        for bit in range(8):
            spoiled = bytearray(OCTETS)
            spoiled[at] ^= 1 << bit
            fast, declared = decoded(bytes(spoiled))
            assert fast == declared, (at, bit)
            if fast is not None:
                accepted += 1
                assert gbz.encode(fast) == spoiled
    assert accepted > 100  # payloads and numbers may change; lengths and control bits may not


def test_both_paths_refuse_every_truncation_and_extension() -> None:
    for damaged in [OCTETS[:cut] for cut in range(len(OCTETS))] + [OCTETS + b"\0"]:
        assert decoded(damaged) == (None, None)


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        ("0108 01 01 0702 0003 000000", "profile"),
        ("0109 00", "no component"),
        ("0109 01 41 0702 0003 000000", "unknown bits"),
        ("0109 01 00 0702 0003 000000", "last-component bit"),
        ("0109 02 01 0702 0003 000000 01 0702 0003 000000", "last-component bit"),
        ("0109 01 01 0702 0004 000000", "component of 4 octets"),
        ("0109 01 01 0702 0002 0000", "3 octets wanted"),
        ("0109 01 01 0702 0003 040000", "manufacturer"),
        ("0109 01 01 0702 0003 000000 00", "too many"),
        ("0109 01 03 0702 0005 01 00 000000", "additional header"),
        ("0109 01 03 0702 0007 00 00 000000 0000", "encrypted block"),
        ("0109 01 03 0702 0018 00 00 000000 0011 3200000000 000000000000000000000000", "31000"),
    ],
)
def test_damaged_messages_are_refused_with_their_own_reason(octets: str, why: str) -> None:
    with pytest.raises(MalformedFrameError, match=why) as caught:
        gbz.decode(bytes.fromhex(octets))
    assert caught.value.offset >= 0
    assert decoded(bytes.fromhex(octets)) == (None, None)


@pytest.mark.parametrize(
    "message",
    [
        GbzMessage(()),
        GbzMessage((MESSAGE.components[0],) * 256),
        GbzMessage((replace(MESSAGE.components[0], cluster=65_536),)),
        GbzMessage((replace(MESSAGE.components[0], command=256),)),
        GbzMessage((replace(MESSAGE.components[0], frame_control=0x05),)),
        GbzMessage((replace(MESSAGE.components[0], payload=bytes(65_536)),)),
        GbzMessage((replace(MESSAGE.components[1], payload=BLOCK[:16]),)),
        GbzMessage((replace(MESSAGE.components[3], from_time=UtcMs(0)),)),
    ],
)
def test_a_message_that_cannot_be_written_is_our_own_fault(message: GbzMessage) -> None:
    with pytest.raises(ValueError, match=r"."):
        gbz.encode(message)
    with pytest.raises(ValueError, match=r"."):
        gbz_declaration.encode(message)


@pytest.mark.parametrize(
    ("alert", "octets"),
    [
        (GbzAlert(0x810E, AT), "0109 00 810e 1c374a80"),
        (GbzAlert(0x81A0, AT, b"\0\5"), "0109 01 81a0 1c374a80 0005"),
    ],
)
def test_an_alert_is_written_as_the_layout_says(alert: GbzAlert, octets: str) -> None:
    whole = bytes.fromhex(octets)
    assert gbz.encode_alert(alert) == whole
    assert gbz.decode_alert(whole) == alert
    for cut in range(9):
        with pytest.raises(MalformedFrameError):
            gbz.decode_alert(whole[:cut])


@pytest.mark.parametrize("octets", ["0109 01 810e 1c374a80", "0109 00 810e 1c374a80 00",
                                    "0109 02 81a0 1c374a80 0005"])  # fmt: skip
def test_an_alert_whose_count_contradicts_its_content_is_refused(octets: str) -> None:
    with pytest.raises(MalformedFrameError, match="component count"):
        gbz.decode_alert(bytes.fromhex(octets))


def test_a_billing_alert_gives_up_its_component() -> None:
    component = GbzComponent(0x0702, 0x19, 0, 0x06, BLOCK, frame_counter=0)
    content = gbz.encode(GbzMessage((component,)))[3:]
    alert = GbzAlert(0x8F0A, AT, content)
    assert gbz.component_of(alert) == GbzMessage((component,))
    with pytest.raises(MalformedFrameError):
        gbz.component_of(replace(alert, content=content[:-1]))


@needs_rtds
def test_both_paths_agree_on_the_given_payloads_and_on_spoiled_copies() -> None:
    chance = Chance(5).stream("gbz")
    seen = 0
    for name, data in rtds_messages():
        env = envelope.decode(data)
        if not env.payload.startswith(gbz.PROFILE) or env.header.cra is Cra.ALERT:
            continue
        fast, declared = decoded(env.payload)
        assert fast is not None, name
        assert fast == declared, name
        assert gbz.encode(fast) == env.payload == gbz_declaration.encode(fast), name
        spoiled = bytearray(env.payload)
        spoiled[chance.below(len(spoiled))] ^= 1 << chance.below(8)
        fast, declared = decoded(bytes(spoiled))
        assert fast == declared, name
        seen += 1
    assert seen > 0
