"""Messages a device refuses, each with its own reason, and none of which changes it."""

import pytest

from device_profiles.words import DeviceType
from emulator.codecs.gbcs import envelope, metering
from emulator.codecs.gbcs.asn1 import ActivateFirmware
from emulator.codecs.gbcs.dlms import firmware_version_request
from emulator.codecs.gbcs.envelope import Cra, Envelope, GroupingHeader, OtherInformation
from emulator.codecs.gbcs.payload import encode_payload
from emulator.codecs.gbcs.use_cases import MessageCode, PayloadKind, Protection
from emulator.codecs.zcl.metering import ChangeSupply, SupplyStatus
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent, Effect, SendGbcs, SendWan
from emulator.core.errors import IllegalEventError
from emulator.core.ids import Eui64
from emulator.crypto.protection import seal
from emulator.devices.base import Device
from emulator.devices.gsme.gsme import Gsme
from tests.emulator.devices.kit import (
    ACB,
    CHF,
    ESME,
    GPF,
    GSME,
    NETWORK_OPERATOR,
    OTHER_SUPPLIER,
    PPMID,
    START,
    SUPPLIER,
    codes,
    command,
    cs06,
    cs08,
    everyone,
    messages,
    notes,
    opened,
    powered,
    refusal,
)

READ = encode_payload(firmware_version_request(1000))


def read(target: Eui64 = ESME, *, counter: int = 1000, originator: Eui64 = SUPPLIER) -> bytes:
    return command(MessageCode.ECS52, target, READ, counter=counter, originator=originator)


def give(device: Device, message: bytes) -> list[Effect]:
    event = DeviceEvent.WAN if device.eui64 == CHF else DeviceEvent.GBCS
    return device.handle(event, message, START)


def without_mac(message: bytes) -> bytes:
    env = envelope.decode(message)
    return envelope.encode(Envelope(env.header, env.payload, env.signature, None))


def flipped(message: bytes, offset: int) -> bytes:
    at = offset % len(message)
    return message[:at] + bytes((message[at] ^ 1,)) + message[at + 1 :]


def unsigned_activation() -> bytes:
    header = GroupingHeader(Cra.COMMAND, 1, SUPPLIER, ESME, OtherInformation(int(MessageCode.CS06)))
    payload = ActivateFirmware(bytes(32), 1).encode()
    return seal(Envelope(header, payload), everyone(), protection=Protection.MAC, acb=ACB)


def response_to_the_meter() -> bytes:
    header = GroupingHeader(
        Cra.RESPONSE, 1, SUPPLIER, ESME, OtherInformation(int(MessageCode.ECS52))
    )
    return seal(Envelope(header, READ), everyone(), protection=Protection.MAC, acb=ACB)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"", "malformed"),
        (b"\xdd\x00", "malformed"),
        (read()[:-1], "malformed"),
        (read() + b"\0", "malformed"),
        (read(GSME), "wrong_target"),
        (flipped(read(), -1), "bad_mac"),
        (flipped(read(), -20), "bad_mac"),
        (without_mac(read()), "missing_mac"),
        (without_mac(cs06(ESME, bytes(32))), "missing_mac"),
        (unsigned_activation(), "missing_signature"),
        (flipped(cs06(ESME, bytes(32)), 80), "bad_signature"),
        (response_to_the_meter(), "not_a_command"),
        (read(originator=OTHER_SUPPLIER), "originator_role"),
        (command(MessageCode.CS06, ESME, b"\x05\x00"), "malformed_payload"),
        (command(MessageCode.ECS52, ESME, READ + b"\0"), "malformed_payload"),
    ],
)  # fmt: skip
def test_a_bad_message_is_refused_by_its_reason_and_changes_nothing(
    message: bytes, reason: str
) -> None:
    device = powered(DeviceType.ESME)
    before = device.dump()
    assert refusal(give(device, message)) == reason
    assert device.dump() == before


def test_an_unsupported_command_is_refused_told_of_once_and_does_nothing_else() -> None:
    device = powered(DeviceType.ESME)
    before = device.dump()
    wrong = command(MessageCode.CCS06, ESME, READ, counter=70)
    effects = give(device, wrong)
    assert notes(effects, "message_refused")[0]["reason"] == "unsupported_use_case"
    assert codes(effects) == [MessageCode.ECS100]
    changed = {name for name, value in device.dump().items() if value != before[name]}
    assert changed == {"next_counter", "accepted"}
    assert refusal(give(device, wrong)) == "unsupported_use_case"


@pytest.mark.parametrize("kind", [DeviceType.ESME, DeviceType.GSME])
def test_a_party_without_authority_is_told_of_once_to_the_supplier(kind: DeviceType) -> None:
    device = powered(kind)
    before = device.dump()
    activation = ActivateFirmware(bytes(32), 1).encode()
    wrong = command(
        MessageCode.CS06, device.eui64, activation, counter=70, originator=NETWORK_OPERATOR
    )
    effects = give(device, wrong)
    assert notes(effects, "message_refused")[0]["reason"] == "originator_role"
    [told] = opened(effects)
    assert (told.row.code, told.envelope.header.target) == (MessageCode.GCA, SUPPLIER)
    assert device.security_log[-1].code == 0x8F30
    changed = {name for name, value in device.dump().items() if value != before[name]}
    assert changed == {"next_counter", "accepted", "security_log"}
    assert refusal(give(device, wrong)) == "originator_role"


def test_a_replayed_or_older_counter_is_refused_and_a_higher_one_taken() -> None:
    device = powered(DeviceType.ESME)
    assert codes(give(device, read(counter=1000))) == [MessageCode.ECS52]
    before = device.dump()
    for counter in (1000, 999, 0):
        assert refusal(give(device, read(counter=counter))) == "replayed_counter"
    assert device.dump() == before
    assert codes(give(device, read(counter=1001))) == [MessageCode.ECS52]
    assert codes(give(device, read(counter=5, originator=NETWORK_OPERATOR))) == [MessageCode.ECS52]


def test_a_refused_command_does_not_use_its_counter_up() -> None:
    device = powered(DeviceType.ESME)
    give(device, command(MessageCode.CS06, ESME, b"\x05\x00", counter=50))
    assert codes(give(device, read(counter=40))) == [MessageCode.ECS52]


def test_a_response_repeats_what_it_must_and_goes_to_the_originator() -> None:
    [answer] = opened(give(powered(DeviceType.PPMID), cs08(PPMID, counter=77)))
    header = answer.envelope.header
    assert (header.cra, header.counter, header.originator, header.target) == (
        Cra.RESPONSE, 77, PPMID, ACB,
    )  # fmt: skip
    assert (header.other.supplementary_party, header.other.supplementary_counter) == (SUPPLIER, 77)
    assert (header.date_time, answer.envelope.signature) == (b"", b"")


def test_a_ppmid_knows_no_cs06() -> None:
    effects = give(powered(DeviceType.PPMID), cs06(PPMID, bytes(32)))
    assert refusal(effects) == "unsupported_use_case"


def test_devices_send_into_the_tunnel_and_hubs_onto_the_wan() -> None:
    esme = give(powered(DeviceType.ESME), read())
    assert [e.to for e in esme if isinstance(e, SendGbcs)] == [CHF]
    hub = give(powered(DeviceType.CHF), read(CHF, originator=ACB))
    assert any(isinstance(e, SendWan) for e in hub)


@pytest.mark.parametrize("originator", [SUPPLIER, NETWORK_OPERATOR])
def test_a_hub_is_read_through_the_acb_alone(originator: Eui64) -> None:
    device = powered(DeviceType.CHF)
    before = device.dump()
    assert refusal(give(device, read(CHF, originator=originator))) == "originator_role"
    assert device.dump() == before


def test_a_hub_routes_by_target_and_refuses_strangers() -> None:
    hub = powered(DeviceType.CHF)
    message = read(ESME)
    assert give(hub, message) == [SendGbcs(message, ESME)]
    stranger = Eui64(bytes(8))
    header = GroupingHeader(Cra.COMMAND, 1, SUPPLIER, stranger, OtherInformation(0x59))
    unknown = envelope.encode(Envelope(header, READ))
    assert refusal(give(hub, unknown)) == "unknown_device"
    assert refusal(give(hub, b"\xdf\x00")) == "malformed"
    [answer] = messages(give(powered(DeviceType.ESME), message))
    out = hub.handle(DeviceEvent.GBCS, answer, START)
    assert out == [SendWan(answer)]


def test_the_gpf_answers_from_its_mirror_under_its_own_name() -> None:
    hub = powered(DeviceType.CHF)
    payload = encode_payload(metering.firmware_version_request())
    message = command(MessageCode.GCS21E, GPF, payload)
    [answer] = opened(give(hub, message))
    assert answer.envelope.header.originator == GPF
    wrong = command(MessageCode.GCS38, GPF, payload)
    assert refusal(give(hub, wrong)) == "unsupported_use_case"


@pytest.mark.parametrize(
    ("code", "proposed", "ends"),
    [
        (MessageCode.GCS32, SupplyStatus.OFF, "off"),
        (MessageCode.GCS39, SupplyStatus.OFF_ARMED, "armed"),
    ],
)
def test_the_valve_goes_where_the_use_case_says(
    code: MessageCode, proposed: SupplyStatus, ends: str
) -> None:
    device = powered(DeviceType.GSME)
    assert isinstance(device, Gsme)
    payload = encode_payload(metering.change_supply(ChangeSupply(0, 1, 0, 0, proposed, 1)))
    [answer] = opened(give(device, command(code, GSME, payload)))
    assert len(answer.envelope.signature or b"") == 64
    assert device.valve.value == ends
    asked = encode_payload(metering.valve_status_request())
    [answer] = opened(give(device, command(MessageCode.GCS33, GSME, asked, counter=2000)))
    assert answer.envelope.payload.endswith(bytes((0x30, int(proposed))))


def test_a_change_supply_of_another_use_case_moves_nothing() -> None:
    device = powered(DeviceType.GSME)
    before = device.dump()
    payload = encode_payload(metering.change_supply(ChangeSupply(0, 1, 0, 0, SupplyStatus.ON, 1)))
    effects = give(device, command(MessageCode.GCS32, GSME, payload))
    assert refusal(effects) == "malformed_payload"
    assert device.dump() == before


def test_the_clock_status_of_a_gas_meter_says_whether_its_clock_is_set() -> None:
    device = powered(DeviceType.GSME)
    assert device.clock_status(metering_language()) == 2
    device.clock_reliable = True
    assert device.clock_status(metering_language()) == 0


def metering_language() -> PayloadKind:
    return PayloadKind.GBZ


def test_misuse_is_ours_and_raises() -> None:
    device = powered(DeviceType.ESME)
    with pytest.raises(IllegalEventError):
        device.handle(DeviceEvent.POWER_ON, None, START)
    with pytest.raises(IllegalEventError):
        device.handle(DeviceEvent.WAN, read(), START)
    device.handle(DeviceEvent.POWER_OFF, None, START)
    assert device.handle(DeviceEvent.GBCS, read(), START) == []
    with pytest.raises(IllegalEventError):
        device.handle(DeviceEvent.POWER_OFF, None, START)


def test_a_stale_timer_does_nothing() -> None:
    device = powered(DeviceType.ESME)
    assert device.handle(DeviceEvent.TIMER, "activation.finish", UtcMs(START + 1)) == []
    assert notes(device.handle(DeviceEvent.TIMER, "no.such", START), "x") == []
