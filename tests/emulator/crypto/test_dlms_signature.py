"""HLS mechanism 7: replies signed by ECDSA (self-consistent; no example with octets at hand)."""

import pytest

from emulator.core.chance import Chance
from emulator.crypto import dlms_signature
from emulator.crypto import signature as ecdsa
from emulator.crypto.dlms_authentication import AuthenticationRefusal
from emulator.crypto.pki import scalar_from

DRAW = Chance(7).stream("hls").octets
CLIENT, METER = b"CLIENT01", b"METER001"
CLIENT_KEY, METER_KEY = scalar_from(DRAW), scalar_from(DRAW)
CTOS, STOC = DRAW(32), DRAW(64)


def client_reply() -> bytes:
    return dlms_signature.hls_reply(CLIENT_KEY, title=CLIENT, peer=METER, received=STOC, sent=CTOS)


def judged_by_meter(reply: bytes, **changed: bytes) -> AuthenticationRefusal | None:
    facts = {
        "point": ecdsa.point_of(CLIENT_KEY),
        "title": CLIENT,
        "own": METER,
        "sent": STOC,
        "received": CTOS,
        **changed,
    }
    return dlms_signature.hls_refusal(**facts, reply=reply)


def test_a_client_signs_its_title_the_meters_title_and_both_challenges_in_the_standards_order() -> (
    None
):
    point = ecdsa.point_of(CLIENT_KEY)
    assert ecdsa.verify(point, CLIENT + METER + STOC + CTOS, client_reply())
    reply = dlms_signature.hls_reply(METER_KEY, title=METER, peer=CLIENT, received=CTOS, sent=STOC)
    assert ecdsa.verify(ecdsa.point_of(METER_KEY), METER + CLIENT + CTOS + STOC, reply)


def test_each_side_accepts_the_others_reply_and_not_its_own_sent_back() -> None:
    assert judged_by_meter(client_reply()) is None
    reply = dlms_signature.hls_reply(METER_KEY, title=METER, peer=CLIENT, received=CTOS, sent=STOC)
    wrong = judged_by_meter(reply)
    assert wrong is AuthenticationRefusal.WRONG_REPLY


@pytest.mark.parametrize(
    "changed",
    [
        {"title": METER},
        {"own": CLIENT},
        {"sent": CTOS},
        {"received": STOC},
        {"point": ecdsa.point_of(METER_KEY)},
        {"point": bytes(65)},
    ],
)
def test_a_reply_of_other_parties_or_to_other_challenges_proves_nothing(
    changed: dict[str, bytes],
) -> None:
    assert judged_by_meter(client_reply(), **changed) is AuthenticationRefusal.WRONG_REPLY


def test_every_flip_truncation_and_extension_of_a_reply_is_refused() -> None:
    reply = client_reply()
    for bit in range(len(reply) * 8):
        spoiled = bytearray(reply)
        spoiled[bit // 8] ^= 1 << bit % 8
        assert judged_by_meter(bytes(spoiled)) is AuthenticationRefusal.WRONG_REPLY
    for damaged in [reply[:cut] for cut in range(len(reply))] + [reply + b"\0"]:
        assert judged_by_meter(damaged) is AuthenticationRefusal.REPLY_LENGTH


@pytest.mark.parametrize(
    ("challenge", "refusal"),
    [
        (None, AuthenticationRefusal.CHALLENGE_LENGTH),
        (bytes(31), AuthenticationRefusal.CHALLENGE_LENGTH),
        (bytes(32), None),
        (bytes(64), None),
        (bytes(65), AuthenticationRefusal.CHALLENGE_LENGTH),
        (CTOS, AuthenticationRefusal.CHALLENGE_REFLECTED),
    ],
)
def test_a_challenge_of_mechanism_7_has_32_to_64_octets_and_is_not_ours(
    challenge: bytes | None, refusal: AuthenticationRefusal | None
) -> None:
    assert dlms_signature.challenge_refusal(challenge, CTOS) is refusal
