"""What comes unasked: data notifications under protection, and octets that nobody sealed."""

import pytest

from emulator.codecs.dlms import axdr, data_notification
from emulator.codecs.dlms.apdu_ciphered import BOTH, CIPHERED_TAGS, Form, Protection
from emulator.codecs.dlms.apdu_general import GeneralHeader
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.dlms.data_notification import Notification
from emulator.core.chance import Chance, Stream
from emulator.core.errors import MalformedFrameError
from emulator.crypto import signature as ecdsa
from emulator.crypto.dlms_general import GeneralProtection
from emulator.crypto.dlms_general_keys import OwnKeys, Party
from emulator.crypto.dlms_general_keys import Refused as GeneralRefused
from emulator.crypto.dlms_keys import InvocationCounters, SecurityKeys
from emulator.crypto.dlms_security import Opened, Refused, SecurityContext, SecurityRefusal

CLIENT, METER = b"CLIENT01", b"METER001"
KEYS = SecurityKeys(bytes(range(16)), bytes(range(16, 32)), bytes(16), bytes(range(32, 48)))
DEDICATED = bytes(range(48, 64))
NOTIFICATION = Notification(
    7, axdr.structure(axdr.octets(b"\0\0\x60\1\0\xff"), Data(Tag.UINT32, 5)), bytes(12)
)
APDU = data_notification.encode(NOTIFICATION)
SIGNING = 12345


def context(own: bytes, peer: bytes, required: Protection = BOTH) -> SecurityContext:
    return SecurityContext(
        KEYS,
        InvocationCounters(),
        own_title=own,
        peer_title=peer,
        required=required,
        dedicated_key=DEDICATED,
        takes_plain_exceptions=own == CLIENT,
    )


@pytest.mark.parametrize("form", [Form.GENERAL_GLOBAL, Form.GENERAL_DEDICATED])
def test_a_notification_is_protected_in_a_general_frame(form: Form) -> None:
    sealed = context(METER, CLIENT).seal(APDU, form)
    assert APDU[1:] not in sealed
    opened = context(CLIENT, METER).open(sealed)
    assert opened == Opened(APDU, form, BOTH)
    assert data_notification.decode(opened.plain) == NOTIFICATION


@pytest.mark.parametrize("form", [Form.SERVICE_GLOBAL, Form.SERVICE_DEDICATED])
def test_a_notification_has_no_service_specific_frame(form: Form) -> None:
    with pytest.raises(ValueError, match="0f has no service-specific"):
        context(METER, CLIENT).seal(APDU, form)


def test_a_plain_notification_passes_only_where_nothing_is_required() -> None:
    refused = context(CLIENT, METER).open(APDU)
    assert isinstance(refused, Refused)
    assert refused.reason is SecurityRefusal.NOT_PROTECTED
    opened = context(CLIENT, METER, Protection.NONE).open(APDU)
    assert opened == Opened(APDU, Form.PLAIN, Protection.NONE)


def test_no_truncation_of_a_plain_notification_is_read() -> None:
    for cut in range(len(APDU)):
        with pytest.raises(MalformedFrameError):
            data_notification.decode(APDU[:cut])


def _octets(draw: Stream) -> bytes:
    firsts = bytes(sorted(CIPHERED_TAGS)) + b"\xd8\x0f\xc0\xdd\xdf"
    head = bytes((firsts[draw.below(len(firsts))],))
    if draw.below(3) == 0:
        return head + draw.octets(draw.below(60))
    title = b"\x08" + METER if draw.below(2) else b""
    body = bytes((0x30 | draw.below(2),)) + draw.octets(draw.below(40))
    return head + title + bytes((len(body),)) + body


def _assault(count: int, seed: int) -> int:
    """Return how many of so many octet rows were well-formed; none may be accepted."""
    draw = Chance(seed).stream("assault")
    client = context(CLIENT, METER)
    own = OwnKeys(CLIENT, KEYS, SIGNING, SIGNING)
    point = ecdsa.point_of(SIGNING)
    general = GeneralProtection(
        own, {METER: Party(point, point)}, InvocationCounters(), draw.octets
    )
    header = GeneralHeader(b"1", METER, CLIENT)
    well_formed = 0
    for _ in range(count):
        octets = _octets(draw)
        judge = {0xDD: general.open, 0xDF: general.verify}.get(octets[0], client.open)
        if octets[0] in {0xDD, 0xDF}:
            octets = octets[:1] + header.encode() + octets[1:]
        try:
            result = judge(octets)
        except MalformedFrameError:
            continue
        well_formed += 1
        accepted = not isinstance(result, Refused | GeneralRefused)
        assert not accepted or octets[0] == 0xD8, octets.hex()  # a plain exception says failure
    return well_formed


def test_random_octets_are_refused_and_nothing_else() -> None:
    assert _assault(1_000, 1) > 100


@pytest.mark.soak
def test_many_more_random_octets_are_refused_and_nothing_else() -> None:
    assert _assault(50_000, 2) > 5_000
