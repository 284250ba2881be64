from typing import Protocol

import pytest

from emulator.codecs.gbcs import asn1
from emulator.codecs.gbcs.asn1 import (
    ActivateFirmware,
    ActivateFirmwareResponse,
    ActivationCode,
    ActivationOutcome,
    FirmwareTransferAlert,
    FirmwareVersionResponse,
    FutureDatedFirmwareAlert,
    PpmidActivationAlert,
    ReadFirmwareVersion,
    ResultCode,
    TransferCode,
)
from emulator.core.clock import UtcMs
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64


class Payload(Protocol):
    def encode(self) -> bytes: ...

    @classmethod
    def decode(cls, data: bytes) -> "Payload": ...


AT = UtcMs(1_767_225_600_000)  # 2026-01-01T00:00:00Z
HASH = bytes(range(32))
V = b"\1\2\3\4"
GT = "180f 3230323630313031303030303030 5a"
H = "0420" + HASH.hex()

#: Written by hand from the layouts of gbcs.md section 9.2.
VECTORS: list[tuple[Payload, str]] = [
    (ActivateFirmware(HASH, 1000), f"3026 {H} 020203e8"),
    (ActivateFirmware(HASH, 1000, AT), f"3037 {H} 020203e8 {GT}"),
    (ActivateFirmware(HASH, (1 << 64) - 1), f"302d {H} 020900ffffffffffffffff"),
    (
        ActivateFirmware(HASH, 0, asn1.CANCEL_TIME),
        f"3036 {H} 020100 180f 39393939313233313233353935395a",
    ),
    (ActivateFirmwareResponse(), "0500"),
    *[
        (ActivateFirmwareResponse(ActivationOutcome(c, V)), f"3009 0201{c:02x} 040401020304")
        for c in ActivationCode
    ],
    (
        FutureDatedFirmwareAlert(0x8F66, AT, 1001, ActivationOutcome(ActivationCode.SUCCESS, V)),
        f"3025 0203008f66 {GT} 020203e9 3009 020100 040401020304",
    ),
    (ReadFirmwareVersion(), "0500"),
    *[(FirmwareVersionResponse(V, c), f"3009 040401020304 0201{c:02x}") for c in ResultCode],
    *[
        (
            FirmwareTransferAlert(0x8F8A, AT, Eui64(bytes(7) + b"\xa4"), V, c),
            f"3029 0203008f8a {GT} 040800000000000000a4 040401020304 0201{c:02x}",
        )
        for c in TransferCode
    ],
    *[
        (
            PpmidActivationAlert(0x8F8B, AT, V, c),
            f"301f 0203008f8b {GT} 040401020304 0201{c:02x}",
        )
        for c in ResultCode
    ],
]


@pytest.mark.parametrize(("value", "octets"), VECTORS)
def test_a_typed_payload_is_written_as_its_layout_says(value: Payload, octets: str) -> None:
    assert value.encode().hex() == octets.replace(" ", "")
    assert type(value).decode(bytes.fromhex(octets)) == value


@pytest.mark.parametrize(("value", "octets"), VECTORS)
def test_every_truncation_and_extension_of_it_is_refused(value: Payload, octets: str) -> None:
    whole = bytes.fromhex(octets)
    for damaged in [whole[:cut] for cut in range(len(whole))] + [whole + b"\0"]:
        with pytest.raises(MalformedFrameError):
            type(value).decode(damaged)


@pytest.mark.parametrize(
    ("kind", "octets", "why"),
    [
        (ActivateFirmware, f"3009 {'0404'}01020304 020100", "32 octets are due"),
        (ActivateFirmware, f"3025 {H} 0201ff", "is not from 0 to"),
        (ActivateFirmware, f"302d {H} 0209010000000000000000", "is not from 0 to"),
        (ActivateFirmware, f"3022 {H}", "part 2: missing"),
        (ActivateFirmware, f"3027 {H} 020100 0500", "GENERALIZED_TIME is due"),
        (ActivateFirmware, f"3038 {H} 020100 {GT} 0500", "nothing more is due"),
        (ActivateFirmware, "0500", "a SEQUENCE is due"),
        (ActivateFirmwareResponse, "3009 020104 040401020304", "4 is no ActivationCode"),
        (ActivateFirmwareResponse, "3008 020100 0403010203", "4 octets are due"),
        (ReadFirmwareVersion, "3000", "is NULL"),
        (FirmwareVersionResponse, "3009 040401020304 020102", "2 is no ResultCode"),
        (FirmwareVersionResponse, "3009 020100 040401020304", "OCTET_STRING is due"),
        (PpmidActivationAlert, f"3020 020401000000 {GT} 040401020304 020100", "is not from 0"),
    ],
)
def test_a_payload_off_its_layout_is_refused_with_its_own_reason(
    kind: type[Payload], octets: str, why: str
) -> None:
    with pytest.raises(MalformedFrameError, match=why) as caught:
        kind.decode(bytes.fromhex(octets))
    assert caught.value.layer == "gbcs.asn1"


@pytest.mark.parametrize(
    "value",
    [
        ActivateFirmware(HASH[:31], 0),
        ActivateFirmwareResponse(ActivationOutcome(ActivationCode.SUCCESS, b"")),
        FirmwareVersionResponse(V + b"\5", ResultCode.SUCCESS),
    ],
)
def test_a_hash_or_version_of_another_length_is_our_own_fault(value: Payload) -> None:
    with pytest.raises(ValueError, match="octets are due"):
        value.encode()
