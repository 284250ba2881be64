from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.zcl import frame as zcl_frame
from emulator.codecs.zcl import metering
from emulator.codecs.zcl.frame import ZclFrame
from emulator.codecs.zcl.metering import (
    ChangeSupply,
    ConfigureMirror,
    FunctionalFlag,
    LocalChangeSupply,
    MirrorRemoved,
    MirrorReportAttributeResponse,
    NotificationScheme,
    RemoveMirror,
    RequestMirror,
    RequestMirrorResponse,
    SupplyStatus,
    SupplyStatusResponse,
)
from emulator.core.errors import MalformedFrameError
from tests.sampling import examples

FIVE = NotificationScheme.ALL_FIVE
NEW_IMAGE = int(FunctionalFlag.NEW_OTA_FIRMWARE)
PENDING = int(FunctionalFlag.TUNNEL_MESSAGE_PENDING)

VECTORS: list[tuple[Any, str]] = [
    (RequestMirror(), "19 07 01"),
    (RemoveMirror(), "19 07 02"),
    (RequestMirrorResponse(10), "11 07 01 0a00"),
    (RequestMirrorResponse(metering.NO_MIRROR), "11 07 01 ffff"),
    (MirrorRemoved(10), "11 07 02 0a00"),
    # issuer event id, 1800 s in three octets, notification on, scheme 2
    (ConfigureMirror(1, 1800, True, FIVE), "19 07 08 01000000 080700 01 02"),
    (
        MirrorReportAttributeResponse(FIVE, (NEW_IMAGE | PENDING, 0, 0, 0, 0x80)),
        "11 07 09 02 01002000 00000000 00000000 00000000 80000000",
    ),
    (
        MirrorReportAttributeResponse(NotificationScheme.FUNCTIONAL_ONLY, (NEW_IMAGE,)),
        "11 07 09 01 01000000",
    ),
    (
        ChangeSupply(1, 2, 3, 0, SupplyStatus.OFF_ARMED, 1),
        "11 07 0b 01000000 02000000 03000000 00000000 01 01",
    ),
    (LocalChangeSupply(SupplyStatus.ON), "11 07 0c 02"),
    (
        SupplyStatusResponse(1, 2, 3, SupplyStatus.ON),
        "19 07 0c 01000000 02000000 03000000 02",
    ),
]
IDS = [f"{type(command).__name__}-{number}" for number, (command, _) in enumerate(VECTORS)]


def read(octets: bytes) -> Any:
    return metering.decode(zcl_frame.decode(octets))


@pytest.mark.parametrize(("command", "octets"), VECTORS, ids=IDS)
def test_a_command_has_the_octets_of_the_specification(command: Any, octets: str) -> None:
    assert metering.encode(command, 7) == bytes.fromhex(octets)
    assert read(bytes.fromhex(octets)) == command


@pytest.mark.parametrize("octets", [octets for _, octets in VECTORS], ids=IDS)
def test_every_truncation_and_an_extension_are_refused(octets: str) -> None:
    whole = bytes.fromhex(octets)
    for length in range(len(whole)):
        with pytest.raises(MalformedFrameError):
            read(whole[:length])
    with pytest.raises(MalformedFrameError):
        read(whole + b"\x00")


def test_new_ota_firmware_is_bit_0_of_the_first_word() -> None:
    answer = MirrorReportAttributeResponse(FIVE, (1, 0, 0, 0, 0))
    assert answer.functional == FunctionalFlag.NEW_OTA_FIRMWARE
    assert FunctionalFlag.TUNNEL_MESSAGE_PENDING == 1 << 21


def test_flags_without_a_name_are_left_out_of_the_functional_ones() -> None:
    answer = MirrorReportAttributeResponse(FIVE, (0xFFFFFFFF, 0, 0, 0, 0))
    assert FunctionalFlag.NEW_OTA_FIRMWARE in answer.functional
    assert not int(answer.functional) & 1 << 3
    none = MirrorReportAttributeResponse(NotificationScheme.NONE, ())
    assert none.functional == FunctionalFlag(0)


@pytest.mark.parametrize("flags", [(), (0, 0, 0, 0), (0, 0, 0, 0, 0, 0), (1 << 32, 0, 0, 0, 0)])
def test_scheme_2_takes_five_words_of_32_bits_and_no_others(flags: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="MirrorReportAttributeResponse"):
        metering.encode(MirrorReportAttributeResponse(FIVE, flags), 7)


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        ("11 07 09 03 01000000", "no NotificationScheme"),
        ("19 07 08 01000000 080700 02 02", "no boolean"),
        ("11 07 0c 03", "no SupplyStatus"),
        ("11 07 08", "not known here"),
        ("19 07 09", "not known here"),
    ],
)
def test_a_field_that_cannot_be_is_refused_with_its_reason(octets: str, why: str) -> None:
    with pytest.raises(MalformedFrameError, match=why):
        read(bytes.fromhex(octets))


@given(st.booleans(), st.integers(0, 13), st.binary(max_size=24))
@settings(max_examples=examples(200), derandomize=True)
def test_octets_of_chance_are_read_or_refused_and_never_break(
    from_server: bool, command_id: int, payload: bytes
) -> None:
    frame = ZclFrame(True, from_server, True, 0, command_id, payload)
    try:
        command = metering.decode(frame)
    except MalformedFrameError:
        return
    assert zcl_frame.decode(metering.encode(command, 0)) == frame
