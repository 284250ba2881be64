"""HLS mechanism 7: both sides prove themselves by ECDSA signatures over titles and challenges."""

from typing import Final

from emulator.crypto import signature as ecdsa
from emulator.crypto.dlms_authentication import MAX_CHALLENGE_BYTES, AuthenticationRefusal

MIN_CHALLENGE_BYTES: Final = 32
REPLY_BYTES: Final = 64


def challenge_refusal(
    challenge: bytes | None, sent: bytes | None = None
) -> AuthenticationRefusal | None:
    """Say why the other side's challenge will not do, or None.

    Args:
        challenge: What came.
        sent: Our own challenge, when it was sent already; it must not come back.

    Source:
        IEC 62056-5-3: challenges of mechanism 7 have 32 to 64 octets; known, no example at hand.
    """
    length = 0 if challenge is None else len(challenge)
    if not MIN_CHALLENGE_BYTES <= length <= MAX_CHALLENGE_BYTES:
        return AuthenticationRefusal.CHALLENGE_LENGTH
    return AuthenticationRefusal.CHALLENGE_REFLECTED if challenge == sent else None


def hls_reply(scalar: int, *, title: bytes, peer: bytes, received: bytes, sent: bytes) -> bytes:
    """Return f(challenge): 64 octets, r then s.

    Args:
        scalar: Private digital signature key of the one who replies.
        title: System title of the one who replies.
        peer: System title of the other side.
        received: Challenge that the other side sent (StoC to a client, CtoS to a server).
        sent: Challenge that the one who replies sent before.

    Raises:
        ValueError: The scalar is out of range.

    Source:
        IEC 62056-5-3 HLS mechanism 7: a client signs title C, title S, StoC, CtoS; a server title
        S, title C, CtoS, StoC. Known, and checked against two public renderings; no example with
        octets at hand.
    """
    return ecdsa.sign(scalar, title + peer + received + sent)


def hls_refusal(  # noqa: PLR0913 - the six things a signature ties together
    point: bytes, *, title: bytes, own: bytes, sent: bytes, received: bytes, reply: bytes
) -> AuthenticationRefusal | None:
    """Say why ``reply`` does not prove that its sender holds the private key, or None.

    Args:
        point: Public digital signature key of the one who replied, uncompressed, 65 octets.
        title: System title of the one who replied.
        own: Our system title.
        sent: Challenge that we sent.
        received: Challenge that the one who replied had sent.
        reply: What came back.
    """
    if len(reply) != REPLY_BYTES:
        return AuthenticationRefusal.REPLY_LENGTH
    good = ecdsa.verify(point, title + own + sent + received, reply)
    return None if good else AuthenticationRefusal.WRONG_REPLY
