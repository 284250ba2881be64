from dataclasses import replace

import pytest

from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.access import AccessResponse, AccessResult, Operation
from emulator.codecs.gbcs import dlms, gbz, metering
from emulator.codecs.gbcs.gbz import GbzComponent, GbzMessage
from emulator.codecs.gbcs.metering import (
    ChangeSupply,
    SupplyStatus,
    SupplyStatusResponse,
    ValveStatus,
)
from emulator.codecs.zcl.frame import ZclFrame
from emulator.core.errors import MalformedFrameError

VERSION = b"\1\2\3\4"
CLOSE = ChangeSupply(0, 0x1C374A80, 0, 0, SupplyStatus.OFF, 1)
CLOSED = SupplyStatusResponse(0, 0x1C374A80, 0, SupplyStatus.OFF)
VALVE = ValveStatus(3000, SupplyStatus.ON)

#: Written by hand from the layouts of gbcs.md section 8 and the ZCL.
VECTORS = {
    "0109 01 01 0702 0005 000000 0602": metering.firmware_version_request(),
    "0109 01 01 0702 000c 080001 0602 00 41 04 01020304": metering.firmware_version_response(
        VERSION
    ),
    "0109 01 01 0702 0015 01000b 00000000 804a371c 00000000 00000000 00 01": (
        metering.change_supply(CLOSE)
    ),
    "0109 01 01 0702 0010 09000c 00000000 804a371c 00000000 00": (
        metering.supply_status_response(CLOSED)
    ),
    "0109 01 01 0702 0005 08000b 0b c0": metering.default_response(metering.CHANGE_SUPPLY),
    "0109 01 01 0702 0007 000000 0502 1400": metering.valve_status_request(),
    "0109 01 01 0702 000e 080001 0502 00 21 b80b 1400 00 30 02": (
        metering.valve_status_response(VALVE)
    ),
}


@pytest.mark.parametrize(("octets", "message"), list(VECTORS.items()))
def test_gas_payloads_are_written_as_the_layout_says(octets: str, message: GbzMessage) -> None:
    whole = bytes.fromhex(octets)
    assert gbz.encode(message).hex() == whole.hex()
    assert gbz.decode(whole) == message


def test_every_reader_reads_its_own_message() -> None:
    assert metering.firmware_version_of(metering.firmware_version_response(VERSION)) == VERSION
    assert metering.change_supply_of(metering.change_supply(CLOSE)) == CLOSE
    assert metering.supply_status_of(metering.supply_status_response(CLOSED)) == CLOSED
    assert metering.valve_status_of(metering.valve_status_response(VALVE)) == VALVE


READERS = [
    metering.firmware_version_of,
    metering.change_supply_of,
    metering.supply_status_of,
    metering.valve_status_of,
]


def test_no_reader_reads_the_message_of_another() -> None:
    messages = [
        metering.firmware_version_response(VERSION),
        metering.change_supply(CLOSE),
        metering.supply_status_response(CLOSED),
        metering.valve_status_response(VALVE),
    ]
    for number, reader in enumerate(READERS):
        for other, message in enumerate(messages):
            assert (reader(message) is not None) is (number == other)
        assert reader(metering.default_response(metering.CHANGE_SUPPLY)) is None
        assert reader(GbzMessage(messages[number].components * 2)) is None
        moved = replace(messages[number].components[0], cluster=0x0705)
        assert reader(GbzMessage((moved,))) is None


def test_a_damaged_payload_of_the_right_kind_is_refused() -> None:
    for message, reader in (
        (metering.change_supply(CLOSE), metering.change_supply_of),
        (metering.supply_status_response(CLOSED), metering.supply_status_of),
        (metering.firmware_version_response(VERSION), metering.firmware_version_of),
    ):
        component = message.components[0]
        short = replace(component, payload=component.payload[:-1])
        with pytest.raises(MalformedFrameError):
            reader(GbzMessage((short,)))
    unknown = replace(metering.change_supply(CLOSE).components[0], payload=bytes(16) + b"\x07\x01")
    with pytest.raises(MalformedFrameError):
        metering.change_supply_of(GbzMessage((unknown,)))


def test_a_refused_attribute_gives_no_value() -> None:
    payload = bytes.fromhex("0502 00 21 b80b 1400 86")
    message = GbzMessage((GbzComponent(0x0702, 0x08, 0, 0x01, payload),))
    assert metering.valve_status_of(message) is None
    odd = bytes.fromhex("0502 00 21 b80b 1400 00 30 09")
    assert metering.valve_status_of(GbzMessage((GbzComponent(0x0702, 8, 0, 1, odd),))) is None


def test_a_frame_goes_into_a_component_and_out_again() -> None:
    frame = ZclFrame(True, False, True, 5, 0x0B, b"\1")
    message = metering.message_of(0x0702, frame, replace(frame, sequence=6))
    assert [metering.frame_of(c).sequence for c in message.components] == [5, 6]
    assert metering.frame_of(message.components[0]) == frame
    with pytest.raises(ValueError, match="manufacturer"):
        metering.message_of(0x0702, replace(frame, manufacturer_code=0x1234))


def test_the_esme_reads_and_tells_its_version() -> None:
    request = dlms.firmware_version_request(0x0102030405)
    assert request.invoke_id == 0x20030405
    assert request.items == (dlms.FIRMWARE_VERSION,)
    response = dlms.firmware_version_response(1000, VERSION)
    assert response.invoke_id == 0x200003E8
    assert dlms.firmware_version_of(response) == VERSION
    assert dlms.firmware_version_of(dlms.firmware_version_response(1000, None)) is None
    with pytest.raises(ValueError, match="4 octets"):
        dlms.firmware_version_response(1000, b"\1")
    with pytest.raises(ValueError, match="4 octets"):
        metering.firmware_version_response(b"")
    two = AccessResponse(0, (AccessResult(Operation.GET, data=axdr.octets(VERSION)),) * 2)
    assert dlms.firmware_version_of(two) is None
