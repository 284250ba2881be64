import pytest

from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.apdu_ciphered import Form
from emulator.codecs.dlms.axdr import NULL, Data, Tag
from emulator.core.chance import Chance
from emulator.crypto import dlms_authentication, dlms_key_transfer
from emulator.crypto.dlms_authentication import AuthenticationRefusal
from emulator.crypto.dlms_key_transfer import NewKey, TransferRefusal
from emulator.crypto.dlms_keys import InvocationCounters, KeyId, SecurityKeys
from emulator.crypto.dlms_security import Opened, Refused, SecurityContext, SecurityRefusal

EK = bytes(range(16))
AK = bytes(range(0xD0, 0xE0))
MASTER = bytes(range(64, 80))
KEYS = SecurityKeys(EK, AK, MASTER)
METER = bytes.fromhex("4D4D4D0000BC614E")
CLIENT = bytes.fromhex("4D4D4D0000000001")
C_TO_S, S_TO_C = b"K56iVagY", b"P6wRJ21F"
#: Replies of the DLMS Green Book's example.
F_S_TO_C = bytes.fromhex("10000000011A52FE7DD3E72748973C1E28")
F_C_TO_S = bytes.fromhex("1001234567FE1466AFB3DBCD4F9389E2B7")


def test_the_green_books_replies_are_made_and_accepted() -> None:
    counters = InvocationCounters()
    counters.resume(EK, METER, 0x01234566)
    made = dlms_authentication.hls_reply(KEYS, counters, title=CLIENT, challenge=S_TO_C)
    assert made == F_S_TO_C
    made = dlms_authentication.hls_reply(KEYS, counters, title=METER, challenge=C_TO_S)
    assert made == F_C_TO_S
    for title, challenge, reply in ((CLIENT, S_TO_C, F_S_TO_C), (METER, C_TO_S, F_C_TO_S)):
        refusal = dlms_authentication.hls_refusal(
            KEYS, title=title, challenge=challenge, reply=reply
        )
        assert refusal is None


def test_a_reply_of_suite_1_is_not_one_of_suite_0() -> None:
    counters = InvocationCounters()
    reply = dlms_authentication.hls_reply(KEYS, counters, title=CLIENT, challenge=S_TO_C, suite=1)
    refusal = dlms_authentication.hls_refusal(
        KEYS, title=CLIENT, challenge=S_TO_C, reply=reply, suite=1
    )
    assert refusal is None
    refusal = dlms_authentication.hls_refusal(
        KEYS, title=CLIENT, challenge=S_TO_C, reply=reply, suite=0
    )
    assert refusal is AuthenticationRefusal.WRONG_CONTROL


def _refusal(challenge: bytes, reply: bytes, title: bytes = CLIENT) -> AuthenticationRefusal | None:
    return dlms_authentication.hls_refusal(KEYS, title=title, challenge=challenge, reply=reply)


def test_every_flip_truncation_and_extension_of_a_reply_is_refused() -> None:
    for bit in range(len(F_S_TO_C) * 8):
        spoiled = bytearray(F_S_TO_C)
        spoiled[bit // 8] ^= 1 << bit % 8
        refusal = _refusal(S_TO_C, bytes(spoiled))
        expected = "WRONG_CONTROL" if bit < 8 else "WRONG_REPLY"
        assert refusal is AuthenticationRefusal[expected]
    for end in range(len(F_S_TO_C)):
        assert _refusal(S_TO_C, F_S_TO_C[:end]) is AuthenticationRefusal.REPLY_LENGTH
    assert _refusal(S_TO_C, F_S_TO_C + b"\0") is AuthenticationRefusal.REPLY_LENGTH


def test_a_reply_to_another_challenge_or_of_another_sender_is_refused() -> None:
    assert _refusal(C_TO_S, F_S_TO_C) is AuthenticationRefusal.WRONG_REPLY
    assert _refusal(S_TO_C, F_S_TO_C, METER) is AuthenticationRefusal.WRONG_REPLY


def test_an_old_reply_fails_at_a_fresh_challenge_whatever_its_counter() -> None:
    counters = InvocationCounters()
    for last_sent in (0, 5, 1 << 31):
        counters.resume(EK, CLIENT, last_sent)
        old = dlms_authentication.hls_reply(KEYS, counters, title=CLIENT, challenge=S_TO_C)
        assert _refusal(S_TO_C, old) is None
        assert _refusal(S_TO_C[::-1], old) is AuthenticationRefusal.WRONG_REPLY


def test_a_replys_counter_may_stand_below_that_of_the_apdu_that_carries_it() -> None:
    sent, received = InvocationCounters(), InvocationCounters()
    client = SecurityContext(KEYS, sent, own_title=CLIENT, peer_title=METER)
    meter = SecurityContext(KEYS, received, own_title=METER, peer_title=CLIENT)
    for _ in range(3):
        reply = dlms_authentication.hls_reply(KEYS, sent, title=CLIENT, challenge=S_TO_C)
        carrier = client.seal(b"\xc3" + reply, Form.SERVICE_GLOBAL)
        opened = meter.open(carrier)
        assert isinstance(opened, Opened)
        assert int.from_bytes(reply[1:5], "big") < received.expected(EK, CLIENT)
        assert _refusal(S_TO_C, opened.plain[1:]) is None


@pytest.mark.parametrize(
    ("challenge", "sent", "refusal"),
    [
        (None, None, AuthenticationRefusal.CHALLENGE_LENGTH),
        (bytes(7), None, AuthenticationRefusal.CHALLENGE_LENGTH),
        (bytes(8), None, None),
        (bytes(64), bytes(8), None),
        (bytes(65), None, AuthenticationRefusal.CHALLENGE_LENGTH),
        (bytes(16), bytes(16), AuthenticationRefusal.CHALLENGE_REFLECTED),
    ],
)
def test_a_challenge_has_8_to_64_octets_and_is_not_ours(
    challenge: bytes | None, sent: bytes | None, refusal: AuthenticationRefusal | None
) -> None:
    assert dlms_authentication.challenge_refusal(challenge, sent) is refusal


@pytest.mark.parametrize(
    ("held", "offered", "good"),
    [
        (b"12345678", b"12345678", True),
        (b"12345678", b"12345679", False),
        (b"12345678", b"1234567", False),
        (b"12345678", b"123456780", False),
        (b"12345678", None, False),
        (b"", b"", False),
    ],
)
def test_a_password_matches_itself_alone(held: bytes, offered: bytes | None, good: bool) -> None:
    assert dlms_authentication.lls_matches(held, offered) is good


def test_keys_are_wrapped_as_rfc_3394_says() -> None:
    key = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
    wrapped = bytes.fromhex("1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5")
    assert dlms_key_transfer.wrap(EK, key) == wrapped
    assert dlms_key_transfer.unwrap(EK, wrapped) == key
    assert dlms_key_transfer.unwrap(AK, wrapped) is None
    for bit in range(len(wrapped) * 8):
        spoiled = bytearray(wrapped)
        spoiled[bit // 8] ^= 1 << bit % 8
        assert dlms_key_transfer.unwrap(EK, bytes(spoiled)) is None
    for length in range(len(wrapped)):
        assert dlms_key_transfer.unwrap(EK, wrapped[:length]) is None
    assert dlms_key_transfer.unwrap(EK, wrapped + bytes(8)) is None
    with pytest.raises(ValueError, match="16 octets"):
        dlms_key_transfer.wrap(EK, key + b"\0")


NEW = [NewKey(KeyId.UNICAST, bytes([1] * 16)), NewKey(KeyId.AUTHENTICATION, bytes([2] * 16))]
WRAPPED = axdr.octets(dlms_key_transfer.wrap(MASTER, EK))


def _row(key_id: int, wrapped: Data = WRAPPED) -> Data:
    return axdr.structure(Data(Tag.ENUM, key_id), wrapped)


def _array(*rows: Data) -> Data:
    return Data(Tag.ARRAY, rows)


def test_transferred_keys_arrive_and_replace_the_old() -> None:
    parameters = dlms_key_transfer.transfer_parameters(MASTER, NEW)
    sent = axdr.decode(axdr.encode(parameters))
    arrived = dlms_key_transfer.read_transfer(MASTER, sent)
    assert not isinstance(arrived, TransferRefusal)
    assert arrived == tuple(NEW)
    keys = dlms_key_transfer.with_new_keys(KEYS, arrived)
    assert (keys.unicast, keys.authentication, keys.master) == (NEW[0].key, NEW[1].key, MASTER)
    assert NEW[0].key.hex() not in repr(NEW[0])


@pytest.mark.parametrize("key_id", list(KeyId))
def test_each_key_can_be_replaced_alone(key_id: KeyId) -> None:
    keys = KEYS.with_key(key_id, bytes([9] * 16))
    fields = [keys.unicast, keys.broadcast, keys.authentication, keys.master]
    old = [KEYS.unicast, KEYS.broadcast, KEYS.authentication, KEYS.master]
    assert [a != b for a, b in zip(fields, old, strict=True)] == [i == key_id for i in range(4)]


@pytest.mark.parametrize(
    ("parameters", "refusal"),
    [
        (NULL, TransferRefusal.WRONG_SHAPE),
        (_array(), TransferRefusal.WRONG_SHAPE),
        (_array(NULL), TransferRefusal.WRONG_SHAPE),
        (_array(axdr.structure(WRAPPED, WRAPPED)), TransferRefusal.WRONG_SHAPE),
        (_array(_row(0, NULL)), TransferRefusal.WRONG_SHAPE),
        (_array(_row(4)), TransferRefusal.UNKNOWN_KEY_ID),
        (_array(_row(0), _row(0)), TransferRefusal.SAME_KEY_TWICE),
        (_array(_row(0, axdr.octets(bytes(16)))), TransferRefusal.WRAPPED_LENGTH),
        (_array(_row(0), _row(2, axdr.octets(bytes(24)))), TransferRefusal.WRONG_WRAPPING),
    ],
)
def test_a_faulty_transfer_is_refused_as_a_whole(
    parameters: Data, refusal: TransferRefusal
) -> None:
    assert dlms_key_transfer.read_transfer(MASTER, parameters) is refusal


def test_after_a_rotation_the_old_key_is_refused_and_a_rollback_does_not_revive_old_messages() -> (
    None
):
    counters, sent = InvocationCounters(), InvocationCounters()
    meter = SecurityContext(KEYS, counters, own_title=METER, peer_title=CLIENT)
    client = SecurityContext(KEYS, sent, own_title=CLIENT, peer_title=METER)
    apdu = bytes.fromhex("C3014100400000 2B0000FF0200")
    old = client.seal(apdu, Form.SERVICE_GLOBAL)
    assert isinstance(meter.open(old), Opened)
    meter.keys = dlms_key_transfer.with_new_keys(KEYS, NEW)
    result = meter.open(client.seal(apdu, Form.SERVICE_GLOBAL))
    assert isinstance(result, Refused)
    assert result.reason is SecurityRefusal.NOT_AUTHENTIC
    client.keys = meter.keys
    assert isinstance(meter.open(client.seal(apdu, Form.SERVICE_GLOBAL)), Opened)
    assert sent.sent(NEW[0].key, CLIENT) == 1  # a new key counts anew
    meter.keys = client.keys = KEYS
    result = meter.open(old)
    assert isinstance(result, Refused)
    assert result.reason is SecurityRefusal.COUNTER_NOT_RISING
    assert isinstance(meter.open(client.seal(apdu, Form.SERVICE_GLOBAL)), Opened)


def test_challenges_come_from_the_chance_passed_in_and_prove_both_sides() -> None:
    stream = Chance(7).stream("hls")
    to_client, to_meter = stream.octets(16), stream.octets(16)
    counters = InvocationCounters()
    assert dlms_authentication.challenge_refusal(to_meter, to_client) is None
    for title, challenge in ((CLIENT, to_client), (METER, to_meter)):
        reply = dlms_authentication.hls_reply(KEYS, counters, title=title, challenge=challenge)
        assert _refusal(challenge, reply, title) is None
        assert _refusal(stream.octets(16), reply, title) is AuthenticationRefusal.WRONG_REPLY
