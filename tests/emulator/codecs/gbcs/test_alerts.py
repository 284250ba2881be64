import pytest

from emulator.codecs.dlms import axdr
from emulator.codecs.gbcs import alerts, gbz
from emulator.codecs.gbcs.alerts import MEANINGS, AlertCode, CommandReference, DlmsAlert
from emulator.codecs.gbcs.gbz import GbzAlert, GbzComponent, GbzMessage
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.clock import UtcMs
from emulator.core.errors import MalformedFrameError

AT = UtcMs(1_420_070_400_000)
HASH = bytes(range(32))
HEAD = "0f 200007d0 00"
TIME = "090c 07df0101ff00000000800 0ff".replace("0 0ff", "00ff")


def test_a_plain_dlms_alert_is_code_and_time() -> None:
    alert = alerts.dlms_alert(2000, AlertCode.FIRMWARE_VERSION_CHANGED, AT)
    octets = bytes.fromhex(f"{HEAD} 0202 128f43 {TIME}")
    assert alerts.encode_dlms_alert(alert) == octets
    assert alerts.decode_dlms_alert(octets) == alert


def test_a_firmware_receipt_carries_the_hash_in_either_language() -> None:
    in_dlms = alerts.dlms_firmware_receipt(2000, AlertCode.FIRMWARE_VERIFIED, AT, HASH)
    octets = bytes.fromhex(f"{HEAD} 0203 128f72 {TIME} 0920") + HASH
    assert alerts.encode_dlms_alert(in_dlms) == octets
    assert alerts.image_hash_of(alerts.decode_dlms_alert(octets)) == HASH
    in_gbz = alerts.gbz_firmware_receipt(AlertCode.FIRMWARE_VERIFICATION_FAILED, AT, HASH)
    octets = bytes.fromhex("0109 01 8f1c 1c374a80 0920") + HASH
    assert gbz.encode_alert(in_gbz) == octets
    assert alerts.image_hash_of(gbz.decode_alert(octets)) == HASH


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_receipt_with_a_hash_of_another_length_is_our_own_fault(size: int) -> None:
    with pytest.raises(ValueError, match="32 octets"):
        alerts.dlms_firmware_receipt(0, AlertCode.FIRMWARE_VERIFIED, AT, bytes(size))
    with pytest.raises(ValueError, match="32 octets"):
        alerts.gbz_firmware_receipt(AlertCode.FIRMWARE_VERIFIED, AT, bytes(size))


@pytest.mark.parametrize(
    "alert",
    [
        DlmsAlert(0, 0x8F72, bytes(12)),
        DlmsAlert(0, 0x8F72, bytes(12), (axdr.octets(HASH[:31]),)),
        DlmsAlert(0, 0x8F72, bytes(12), (axdr.uint16(1),)),
        DlmsAlert(0, 0x8F72, bytes(12), (axdr.octets(HASH), axdr.octets(HASH))),
        GbzAlert(0x8F72, AT),
        GbzAlert(0x8F72, AT, HASH),
        GbzAlert(0x8F72, AT, b"\x09\x20" + HASH + b"\0"),
    ],
)
def test_an_alert_without_a_hash_of_32_octets_tells_none(alert: DlmsAlert | GbzAlert) -> None:
    assert alerts.image_hash_of(alert) is None


def test_a_future_dated_outcome_names_its_command_in_either_language() -> None:
    value = bytes.fromhex("00b7 00000000000003eb 0071 0000131405ff 07")
    in_dlms = alerts.dlms_alert(2000, AlertCode.FUTURE_DATED_SUCCESS, AT, axdr.octets(value))
    expected = CommandReference(0x00B7, 1003, "113/0-0:19.20.5.255/7")
    assert alerts.command_reference_of(in_dlms) == expected
    content = bytes.fromhex("0e 006c 00000000000003e9 0705 01 06")
    in_gbz = GbzAlert(AlertCode.FUTURE_DATED_SUCCESS, AT, content)
    assert alerts.command_reference_of(in_gbz) == CommandReference(0x006C, 1001, "0705 01 06")
    assert alerts.command_reference_of(GbzAlert(1, AT, content[:-1])) is None
    assert alerts.command_reference_of(GbzAlert(1, AT, b"\x0d" + content[1:])) is None
    assert alerts.command_reference_of(alerts.dlms_alert(0, 1, AT)) is None


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (f"{HEAD} 128f43", "structure"),
        (f"{HEAD} 0102 128f43 {TIME}", "structure"),
        (f"{HEAD} 0201 128f43", "begins with code"),
        (f"{HEAD} 0202 118f {TIME}", "begins with code"),
        (f"{HEAD} 0202 128f43 120000", "begins with code"),
        (f"{HEAD} 0202 128f43 0901ff", "12 octets"),
        (f"{HEAD} 0202 128f43 {TIME} 00", "too many"),
    ],
)
def test_a_notification_that_is_no_alert_is_refused(octets: str, why: str) -> None:
    with pytest.raises(MalformedFrameError, match=why):
        alerts.decode_dlms_alert(bytes.fromhex(octets))


def test_a_time_of_another_length_is_our_own_fault() -> None:
    with pytest.raises(ValueError, match="12 octets"):
        alerts.encode_dlms_alert(DlmsAlert(0, 1, b""))


def test_every_alert_code_has_a_meaning_of_its_own() -> None:
    assert set(MEANINGS) == set(AlertCode)
    assert len(set(MEANINGS.values())) == len(AlertCode)


BLOCK = bytes.fromhex("3100000000") + bytes(13)
COMPONENT = gbz.encode(GbzMessage((GbzComponent(0x0702, 0x19, 0, 6, BLOCK, frame_counter=0),)))[3:]
FULL = b"\x09\x20" + HASH
REFERENCE = bytes.fromhex("0e 006c 00000000000003e9 0705 01 06")


@pytest.mark.parametrize(
    ("code", "good", "bad"),
    [
        (MessageCode.FDRA_GBZ, FULL, FULL + b"\0"),
        (MessageCode.FUTURE_DATED_GBZ_ALERT, REFERENCE, REFERENCE + b"\0"),
        (MessageCode.MIIWA_GBZ, b"\0\5", b"\0\5\0"),
        (MessageCode.GCS53, COMPONENT, COMPONENT + b"\0"),
        (MessageCode.GCA, b"", b"\0"),
        (MessageCode.GNCA, b"", b"\0"),
        (MessageCode.CS14, b"anything", None),
    ],
)
def test_the_content_of_an_alert_follows_its_message_code(
    code: MessageCode, good: bytes, bad: bytes | None
) -> None:
    alerts.check_content(code, GbzAlert(0x8F0A, AT, good), b"")
    if bad is not None:
        with pytest.raises(MalformedFrameError):
            alerts.check_content(code, GbzAlert(0x8F0A, AT, bad), b"")


def test_a_receipt_in_dlms_without_a_hash_is_refused() -> None:
    alert = alerts.dlms_alert(0, AlertCode.FIRMWARE_VERIFIED, AT)
    with pytest.raises(MalformedFrameError, match="not a hash") as caught:
        alerts.check_content(MessageCode.FDRA_DLMS, alert, b"")
    assert caught.value.layer == "gbcs.alert"
