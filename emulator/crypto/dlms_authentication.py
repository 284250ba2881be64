"""Proof of who associates: the low-level secret, and the HLS challenges with GMAC."""

import enum
import hmac
from typing import Final

from emulator.codecs.dlms.apdu_ciphered import Protection, SecurityControl
from emulator.crypto import dlms_cipher
from emulator.crypto.dlms_cipher import TAG_BYTES
from emulator.crypto.dlms_keys import InvocationCounters, SecurityKeys

MIN_CHALLENGE_BYTES: Final = 8
MAX_CHALLENGE_BYTES: Final = 64
REPLY_BYTES: Final = 5 + TAG_BYTES
_AUTHENTICATED: Final = int(Protection.AUTHENTICATED)


class AuthenticationRefusal(enum.StrEnum):
    """Why a challenge or a reply to one is refused."""

    CHALLENGE_LENGTH = "challenge_length"
    CHALLENGE_REFLECTED = "challenge_reflected"
    REPLY_LENGTH = "reply_length"
    WRONG_CONTROL = "wrong_control"
    WRONG_REPLY = "wrong_reply"


def lls_matches(held: bytes, offered: bytes | None) -> bool:
    """Say whether ``offered`` is the secret, in constant time; an empty one matches nothing."""
    return bool(held) and offered is not None and hmac.compare_digest(held, offered)


def challenge_refusal(
    challenge: bytes | None, sent: bytes | None = None
) -> AuthenticationRefusal | None:
    """Say why the other side's challenge will not do, or None.

    Args:
        challenge: What came.
        sent: Our own challenge, when it was sent already; it must not come back.

    Source:
        IEC 62056-5-3: CtoS and StoC have 8 to 64 octets, and must differ.
    """
    length = 0 if challenge is None else len(challenge)
    if not MIN_CHALLENGE_BYTES <= length <= MAX_CHALLENGE_BYTES:
        return AuthenticationRefusal.CHALLENGE_LENGTH
    return AuthenticationRefusal.CHALLENGE_REFLECTED if challenge == sent else None


def hls_reply(
    keys: SecurityKeys,
    counters: InvocationCounters,
    *,
    title: bytes,
    challenge: bytes,
    suite: int = 0,
) -> bytes:
    """Return f(challenge): security control, invocation counter and GMAC, 17 octets.

    Args:
        keys: Keys of the association.
        counters: Gives the next counter.
        title: System title of the one who replies.
        challenge: What the other side sent (StoC to a client, CtoS to a server).
        suite: Security suite, 0 or 1.

    Raises:
        CounterExhaustedError: No counter is left.

    Source:
        IEC 62056-5-3 HLS mechanism 5; checked on both replies of the DLMS Green Book's example.
    """
    counter = counters.draw(keys.unicast, title)
    return _reply(keys, title, counter, challenge, suite)


def _reply(keys: SecurityKeys, title: bytes, counter: int, challenge: bytes, suite: int) -> bytes:
    control = SecurityControl.of(suite | _AUTHENTICATED)
    iv = dlms_cipher.nonce(title, counter)
    sealed = dlms_cipher.protect(keys.unicast, keys.authentication, iv, control, challenge)
    return control.written + iv[-4:] + sealed[len(challenge) :]


def hls_refusal(
    keys: SecurityKeys, *, title: bytes, challenge: bytes, reply: bytes, suite: int = 0
) -> AuthenticationRefusal | None:
    """Say why ``reply`` does not prove that its sender holds the keys, or None.

    Its counter is not compared with earlier ones: the challenge is fresh, so a reply made before
    fails whatever its counter. Nor does it count as received: the APDU that carries the reply has
    a counter of its own, which may be lower or higher (``inferred``: a sender draws the reply's
    counter first, ours does; the standard's text on it was not at hand).

    Args:
        keys: Keys of the association.
        title: System title of the one who replied.
        challenge: The challenge that we sent.
        reply: What came back.
        suite: Security suite, 0 or 1.
    """
    if len(reply) != REPLY_BYTES:
        return AuthenticationRefusal.REPLY_LENGTH
    if reply[0] != suite | _AUTHENTICATED:
        return AuthenticationRefusal.WRONG_CONTROL
    good = _reply(keys, title, int.from_bytes(reply[1:5], "big"), challenge, suite)
    return None if hmac.compare_digest(good, reply) else AuthenticationRefusal.WRONG_REPLY
