import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.dlms import apdu_ciphered, initiate
from emulator.codecs.dlms.apdu_ciphered import (
    BOTH,
    SERVICE_TAGS,
    CipheredApdu,
    Form,
    Protection,
    SecurityControl,
)
from emulator.core.errors import IllegalEventError, MalformedFrameError
from emulator.crypto import dlms_cipher
from emulator.crypto.dlms_keys import CounterExhaustedError, InvocationCounters, SecurityKeys
from emulator.crypto.dlms_security import Opened, Refused, SecurityContext, SecurityRefusal
from tests.sampling import examples

#: Keys, titles and results of the example in the DLMS Green Book (security suite 0).
EK = bytes(range(16))
AK = bytes(range(0xD0, 0xE0))
METER = bytes.fromhex("4D4D4D0000BC614E")
CLIENT = bytes.fromhex("4D4D4D0000000001")
COUNTER = 0x01234567
GET = bytes.fromhex("C0010000080000010000FF0200")
INITIATE = bytes.fromhex("01011000112233445566778899AABBCCDDEEFF0000065F1F0400007E1F04B0")
GRANTED = bytes.fromhex("0800065F1F0400007C1F04000007")
GOLDEN = [
    (GET, "C81E1001234567C0010000080000010000FF020006725D910F9221D263877516"),
    (GET, "C8122001234567411312FF935A47566827C467BC"),
    (GET, "C81E3001234567411312FF935A47566827C467BC7D825C3BE4A77C3FCC056B6B"),
    (
        INITIATE,
        (
            "21303001234567801302FF8A7874133D414CED25B42534D28DB0047720606B175BD52211BE6841DB"
            "204D39EE6FDB8E356855"
        ),
    ),
    (GRANTED, "281F3001234567891214A0845E475714383F65BC19745CA235906525E4F3E1C893"),
]
KEYS = SecurityKeys(EK, AK, bytes(16), bytes(range(16, 32)))
DEDICATED = bytes(range(32, 48))
ANSWER = bytes.fromhex("C401C1001107")
SECURED = [form for form in Form if form is not Form.PLAIN]
PROTECTIONS = [Protection.AUTHENTICATED, Protection.ENCRYPTED, BOTH]


def _pair(
    required: Protection = BOTH, suite: int = 0, dedicated: bytes | None = DEDICATED
) -> tuple[SecurityContext, SecurityContext]:
    """Return client and meter."""
    client = SecurityContext(
        KEYS,
        InvocationCounters(),
        own_title=CLIENT,
        peer_title=METER,
        suite=suite,
        required=required,
        dedicated_key=dedicated,
        takes_plain_exceptions=True,
    )
    meter = SecurityContext(
        KEYS,
        InvocationCounters(),
        own_title=METER,
        peer_title=CLIENT,
        suite=suite,
        required=required,
        dedicated_key=dedicated,
    )
    return client, meter


def _reason(result: Opened | Refused) -> SecurityRefusal | None:
    return result.reason if isinstance(result, Refused) else None


@pytest.mark.parametrize(("plain", "sealed"), GOLDEN)
def test_the_green_book_example_is_sealed_and_opened(plain: bytes, sealed: str) -> None:
    apdu = apdu_ciphered.decode(bytes.fromhex(sealed))
    assert apdu_ciphered.encode(apdu) == bytes.fromhex(sealed)
    assert apdu.counter == COUNTER
    iv = dlms_cipher.nonce(METER, COUNTER)
    assert dlms_cipher.protect(EK, AK, iv, apdu.control, plain) == apdu.content
    assert dlms_cipher.unprotect(EK, AK, METER, apdu) == plain


def test_the_initiate_of_the_example_carries_a_dedicated_key() -> None:
    assert initiate.decode_request(INITIATE).dedicated_key == INITIATE[3:19]
    assert initiate.decode_response(GRANTED).name == initiate.LOGICAL_NAMES


@pytest.mark.parametrize(
    ("form", "protection", "suite"), list(itertools.product(SECURED, PROTECTIONS, [0, 1]))
)
def test_a_request_is_answered_in_kind(form: Form, protection: Protection, suite: int) -> None:
    client, meter = _pair(protection, suite)
    opened = meter.open(client.seal(GET, form, protection))
    assert opened == Opened(GET, form, protection)
    answered = client.open(meter.seal(ANSWER, form, protection))
    assert answered == Opened(ANSWER, form, protection)


@pytest.mark.parametrize("plain_tag", sorted(SERVICE_TAGS))
def test_each_service_has_its_own_frame(plain_tag: int) -> None:
    client, meter = _pair()
    plain = bytes((plain_tag, 1, 2, 3))
    for form, tag in zip(
        (Form.SERVICE_GLOBAL, Form.SERVICE_DEDICATED), SERVICE_TAGS[plain_tag], strict=True
    ):
        sealed = client.seal(plain, form)
        assert sealed[0] == tag
        assert meter.open(sealed) == Opened(plain, form, BOTH)


@pytest.mark.parametrize(
    ("form", "protection"), list(itertools.product(SECURED, [Protection.AUTHENTICATED, BOTH]))
)
@pytest.mark.parametrize("answering", [False, True])
def test_no_flip_truncation_or_extension_is_accepted(
    form: Form, protection: Protection, answering: bool
) -> None:
    client, meter = _pair(protection)
    if answering:
        client, meter = meter, client
    sealed = client.seal(GET, form, protection)
    spoiled = [sealed[:end] for end in range(len(sealed))]
    spoiled += [sealed + b"\0", sealed + sealed]
    for bit in range(len(sealed) * 8):
        flipped = bytearray(sealed)
        flipped[bit // 8] ^= 1 << bit % 8
        spoiled.append(bytes(flipped))
    for data in spoiled:
        try:
            assert isinstance(meter.open(data), Refused), data.hex()
        except MalformedFrameError:
            continue  # refused already by the frame
    assert meter.open(sealed) == Opened(GET, form, protection)  # nothing before it changed a thing


@given(st.binary(min_size=1, max_size=80), st.binary(min_size=1, max_size=8), st.data())
@settings(derandomize=True, max_examples=examples(150), deadline=None)
def test_no_damage_of_several_octets_is_accepted(
    plain: bytes, mask: bytes, data: st.DataObject
) -> None:
    client, meter = _pair()
    sealed = bytearray(client.seal(plain, Form.GENERAL_GLOBAL))
    at = data.draw(st.integers(0, len(sealed) - 1))
    damaged = bytearray(sealed)
    for offset, octet in enumerate(mask):
        damaged[(at + offset) % len(sealed)] ^= octet
    try:
        result = meter.open(bytes(damaged))
    except MalformedFrameError:
        return
    assert isinstance(result, Opened) is (damaged == sealed)


@pytest.mark.parametrize("form", SECURED)
def test_a_replayed_or_earlier_counter_is_refused_by_name(form: Form) -> None:
    client, meter = _pair()
    first, second = client.seal(GET, form), client.seal(GET, form)
    assert isinstance(meter.open(second), Opened)
    for old in (first, second):
        result = meter.open(old)
        assert isinstance(result, Refused)
        assert result.reason is SecurityRefusal.COUNTER_NOT_RISING
        assert result.expected_counter == 3
    assert isinstance(meter.open(client.seal(GET, form)), Opened)


def test_the_counter_holds_across_associations_and_forms() -> None:
    counters = InvocationCounters()
    client, _ = _pair()
    sealed = client.seal(GET, Form.SERVICE_GLOBAL)

    def meter() -> SecurityContext:
        return SecurityContext(KEYS, counters, own_title=METER, peer_title=CLIENT)

    assert isinstance(meter().open(sealed), Opened)
    assert _reason(meter().open(sealed)) is SecurityRefusal.COUNTER_NOT_RISING
    general = b"\xdb\x08" + CLIENT + sealed[1:]
    assert _reason(meter().open(general)) is SecurityRefusal.COUNTER_NOT_RISING
    restored = InvocationCounters()
    restored.load(counters.dump())
    counters = restored
    assert _reason(meter().open(sealed)) is SecurityRefusal.COUNTER_NOT_RISING


def test_a_refused_apdu_does_not_raise_the_counter() -> None:
    client, meter = _pair()
    forged = bytearray(client.seal(GET, Form.SERVICE_GLOBAL))
    forged[3:7] = b"\xff\xff\xff\xff"
    assert _reason(meter.open(bytes(forged))) is SecurityRefusal.NOT_AUTHENTIC
    assert isinstance(meter.open(client.seal(GET, Form.SERVICE_GLOBAL)), Opened)


@pytest.mark.parametrize(
    ("required", "sent"),
    [(r, s) for r, s in itertools.product([*PROTECTIONS], [*PROTECTIONS]) if r & ~s],
)
def test_less_protection_than_required_is_refused(required: Protection, sent: Protection) -> None:
    _, meter = _pair(required)
    client, _ = _pair(Protection.NONE)
    for form in SECURED:
        result = meter.open(client.seal(GET, form, sent))
        assert _reason(result) is SecurityRefusal.DOWNGRADED
    assert _reason(meter.open(GET)) is SecurityRefusal.NOT_PROTECTED
    with pytest.raises(IllegalEventError, match="required"):
        meter.seal(ANSWER, Form.SERVICE_GLOBAL, sent)
    with pytest.raises(IllegalEventError, match="required"):
        meter.seal(ANSWER, Form.PLAIN)


def test_what_was_once_required_stays_required() -> None:
    _, meter = _pair(Protection.NONE)
    assert meter.open(GET) == Opened(GET, Form.PLAIN, Protection.NONE)
    meter.require(Protection.AUTHENTICATED)
    meter.require(Protection.NONE)
    assert _reason(meter.open(GET)) is SecurityRefusal.NOT_PROTECTED


def _framed(control: SecurityControl, form: Form = Form.SERVICE_GLOBAL) -> bytes:
    service, title = (None, CLIENT) if form.general else (GET[0], None)
    content = GET + bytes(12)
    return apdu_ciphered.encode(CipheredApdu(form, service, title, control, 1, content))


@pytest.mark.parametrize(
    ("control", "reason"),
    [
        (SecurityControl(1, BOTH), SecurityRefusal.WRONG_SUITE),
        (SecurityControl(15, BOTH), SecurityRefusal.WRONG_SUITE),
        (SecurityControl(0, BOTH, compressed=True), SecurityRefusal.COMPRESSED),
        (SecurityControl(0, Protection.NONE), SecurityRefusal.NOT_PROTECTED),
        (SecurityControl(0, BOTH), SecurityRefusal.NOT_AUTHENTIC),
        (SecurityControl(0, BOTH, broadcast=True), SecurityRefusal.NOT_AUTHENTIC),
    ],
)
def test_each_fault_of_the_control_octet_is_named(
    control: SecurityControl, reason: SecurityRefusal
) -> None:
    _, meter = _pair()
    assert _reason(meter.open(_framed(control))) is reason


def test_every_control_octet_comes_back() -> None:
    for octet in range(256):
        assert SecurityControl.of(octet).octet == octet


def test_keys_that_are_not_there_are_named() -> None:
    client, _ = _pair()
    _, meter = _pair(dedicated=None)
    sealed = client.seal(GET, Form.SERVICE_DEDICATED)
    assert _reason(meter.open(sealed)) is SecurityRefusal.NO_DEDICATED_KEY
    with pytest.raises(IllegalEventError, match="no such dedicated key"):
        meter.seal(ANSWER, Form.SERVICE_DEDICATED)
    meter.dedicate(DEDICATED)
    assert isinstance(meter.open(sealed), Opened)
    meter.keys = SecurityKeys(EK, AK, bytes(16))
    result = meter.open(_framed(SecurityControl(0, BOTH, broadcast=True)))
    assert _reason(result) is SecurityRefusal.NO_BROADCAST_KEY


def test_a_broadcast_is_opened_with_the_broadcast_key() -> None:
    _, meter = _pair()
    control = SecurityControl(0, BOTH, broadcast=True)
    assert KEYS.broadcast is not None
    iv = dlms_cipher.nonce(CLIENT, 1)
    content = dlms_cipher.protect(KEYS.broadcast, AK, iv, control, GET)
    apdu = CipheredApdu(Form.GENERAL_GLOBAL, None, CLIENT, control, 1, content)
    assert isinstance(meter.open(apdu_ciphered.encode(apdu)), Opened)


def test_another_title_and_another_service_in_the_frame_are_named() -> None:
    client, meter = _pair()
    sealed = bytearray(client.seal(GET, Form.GENERAL_GLOBAL))
    sealed[9] ^= 1
    assert _reason(meter.open(bytes(sealed))) is SecurityRefusal.UNKNOWN_TITLE
    sealed = bytearray(client.seal(GET, Form.SERVICE_GLOBAL))
    sealed[0] = SERVICE_TAGS[0xC1][0]
    assert _reason(meter.open(bytes(sealed))) is SecurityRefusal.WRONG_SERVICE


def test_an_exception_response_goes_plain_but_in_general_form_is_protected() -> None:
    client, meter = _pair()
    exception = bytes.fromhex("d80101")
    assert meter.seal(exception, Form.SERVICE_GLOBAL) == exception
    assert client.open(exception) == Opened(exception, Form.PLAIN, Protection.NONE)
    assert _reason(meter.open(exception)) is SecurityRefusal.NOT_PROTECTED
    with pytest.raises(MalformedFrameError, match="too many"):
        client.open(exception + b"\0")
    sealed = meter.seal(exception, Form.GENERAL_GLOBAL)
    assert client.open(sealed) == Opened(exception, Form.GENERAL_GLOBAL, BOTH)


def test_a_key_at_its_last_counter_seals_no_more() -> None:
    counters = InvocationCounters()
    counters.resume(EK, CLIENT, (1 << 32) - 2)
    client = SecurityContext(KEYS, counters, own_title=CLIENT, peer_title=METER)
    client.seal(GET, Form.SERVICE_GLOBAL)
    with pytest.raises(CounterExhaustedError):
        client.seal(GET, Form.SERVICE_GLOBAL)
    counters.resume(EK, CLIENT, 5)
    assert counters.sent(EK, CLIENT) == (1 << 32) - 1


def test_what_cannot_be_sealed_is_said() -> None:
    client, _ = _pair()
    with pytest.raises(ValueError, match="no APDU"):
        client.seal(b"", Form.SERVICE_GLOBAL)
    with pytest.raises(ValueError, match="no service-specific"):
        client.seal(b"\x0f\0", Form.SERVICE_GLOBAL)
    with pytest.raises(MalformedFrameError, match="no APDU"):
        client.open(b"")
    with pytest.raises(ValueError, match="neither 0 nor 1"):
        _pair(suite=2)
    with pytest.raises(ValueError, match="16 octets"):
        client.dedicate(b"short")
    with pytest.raises(ValueError, match="16 octets"):
        SecurityKeys(EK, AK, b"")


def test_no_key_shows_in_print() -> None:
    assert EK.hex() not in repr(KEYS)
    assert repr(EK) not in repr(KEYS)
    counters = InvocationCounters()
    counters.draw(EK, CLIENT)
    assert EK.hex() not in repr(counters.dump())
