"""Takes keys out of what crosses a dongle's line, frame by frame, and leaves all else as it is.

Keys stand at known places of EZSP frames, behind ASH's randomising, which is no protection. There
they are replaced by zeros, and the frame's check is made anew. A key that was seen once is looked
for in every later frame, wherever it may stand. Of a frame whose check is wrong nobody knows what
it was: its control octet and EZSP header stay, and its length; the rest is zeros.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from emulator.codecs.ezsp import ash
from emulator.codecs.ezsp.ash_octets import (
    CANCEL,
    CRC_BYTES,
    FLAG,
    SUBSTITUTE,
    XOFF,
    XON,
    check,
    randomise,
    stuff,
    unstuff,
)
from harness.dlms_view.line import Way
from hil.zigbee.messages import WIDE_VERSION

_KEY_OCTETS: Final = 16
_HEADER: Final = 5
_EXTENDED: Final = 0x01
_CONTROL_FRAMES: Final = 0x80
#: Octets of a damaged frame that stay: its control octet and the header of EZSP.
_KEPT_OF_DAMAGED: Final = 1 + _HEADER
_SPEED_MARKS: Final = bytes((XON, XOFF))
#: Where keys stand in the parameters of commands, by frame id; None: everything is secret.
#: Source: reference zigbee-dongle.md 2.8, UG100 (known); every place is checked against bellows.
COMMAND_KEYS: Final[Mapping[int, tuple[int, ...] | None]] = {
    0x0C: None,
    0x66: (9,),
    0x68: (2, 18),
    0x72: (10,),
    0x73: (0,),
    0x77: (0,),
    0xA2: None,
    0xA9: None,
    0xAF: (8,),
    0xB3: None,
    0xC9: None,
    0xCA: (0,),
    0xCF: None,
    0xDF: None,
    0xED: None,
    0x103: None,
    0x10E: (9,),
    0x111: (8,),
    0x115: None,
}
#: The same of answers: up to v13, and since v14.
ANSWER_KEYS: Final[Mapping[int, tuple[tuple[int, ...] | None, tuple[int, ...] | None]]] = {
    0x6A: ((4,), (4,)),
    0x6D: ((9,), (9,)),
    0x71: ((4,), (4,)),
    0xBC: (None, None),
    0xC8: (None, None),
    0xCE: ((9,), (9,)),
    0xDD: (None, None),
    0x10D: ((0,), (22,)),
    0x10F: ((8,), (22,)),
    0x112: ((18,), (22,)),
    0x113: ((18,), (22,)),
    0x114: ((0,), (4,)),
}
_GET_MFG_TOKEN, _GET_VALUE, _SET_VALUE, _GET_TOKEN_DATA = 0x0B, 0xAA, 0xAB, 0x102
#: The tokens of the stack that are read and may be known: the address it restores.
#: Source: bellows 1.2.1 (NV3KeyId); the others hold keys, or may.
_OPEN_TOKENS: Final = frozenset({0x0000E12A, 0x0001E12A})
#: Tokens and values that are secret: boot loader's key, CBKE data, install code; private key.
#: Source: UG100, EzspMfgTokenId and EzspValueId (known; bellows lists the same numbers).
_SECRET_TOKENS: Final = frozenset({5, 9, 10})
_SECRET_VALUES: Final = frozenset({0x1C})
#: What is redacted, by name.
KEY, ELSEWHERE, TOKEN, DAMAGED = "key", "key-elsewhere", "secret-token", "damaged-frame"


def masked(payload: bytes, way: Way, version: int) -> bytes:
    """Return an EZSP frame with zeros for its keys."""
    places = key_places(payload, way, version)
    if places is None:
        return payload[:_HEADER] + bytes(len(payload) - _HEADER)
    octets = bytearray(payload)
    for at in places:
        part = octets[at : at + _KEY_OCTETS]
        octets[at : at + len(part)] = bytes(len(part))
    return bytes(octets)


def key_places(payload: bytes, way: Way, version: int) -> tuple[int, ...] | None:
    """Return where keys begin in an EZSP frame; None: everything behind its header is secret."""
    if len(payload) < _HEADER or payload[2] & 0x3F != _EXTENDED:
        return ()
    frame_id = int.from_bytes(payload[3:5], "little")
    if way is Way.IN:
        found = COMMAND_KEYS.get(frame_id, ())
    else:
        found = ANSWER_KEYS.get(frame_id, ((), ()))[version >= WIDE_VERSION]
    return None if found is None else tuple(_HEADER + at for at in found)


def _token(payload: bytes) -> int:
    return int.from_bytes(payload[_HEADER : _HEADER + 4], "little")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question whose answer is secret from an octet of its parameters on."""

    sequence: int
    frame_id: int
    kept: int


class Redactor:
    """What watches one line.

    Attributes:
        version: EZSP version spoken, once the dongle has said.
        found: What was redacted so far, by name.
    """

    def __init__(self, secrets: Iterable[bytes] = ()) -> None:
        """Watch for further secrets besides those that stand where keys stand.

        Args:
            secrets: Keys of 16 octets that may cross the line: made of install codes, for example.
        """
        self.version = 0
        self.found: Counter[str] = Counter()
        self._known: set[bytes] = set()
        self._asked: _Asked | None = None
        self.watch(secrets)

    def watch(self, secrets: Iterable[bytes]) -> None:
        """Look for further secrets from here on."""
        self._known |= {secret for secret in secrets if any(secret)}

    def redacted(self, way: Way, part: bytes) -> bytes:
        """Return octets up to a flag, or up to where the line ended, without keys."""
        whole = part.endswith(bytes((FLAG,)))
        *given_up, last = part.removesuffix(bytes((FLAG,))).split(bytes((CANCEL,)))
        out = b"".join(self._damaged(one) + bytes((CANCEL,)) for one in given_up)
        return out + (self._frame(way, last) + bytes((FLAG,)) if whole else self._damaged(last))

    def _frame(self, way: Way, octets: bytes) -> bytes:
        body = unstuff(octets.translate(None, _SPEED_MARKS))
        if body is None or len(body) <= CRC_BYTES or SUBSTITUTE in octets:
            return self._damaged(octets)
        content = body[:-CRC_BYTES]
        if check(content) != body[-CRC_BYTES:]:
            return self._damaged(octets)
        if content[0] >= _CONTROL_FRAMES or not 0 < len(content) - 1 <= ash.MAX_DATA_BYTES:
            return octets
        payload = randomise(content[1:])
        told = self._told(way, payload)
        if told == payload:
            return octets
        fresh = content[:1] + randomise(told)
        return stuff(fresh + check(fresh))

    def _told(self, way: Way, payload: bytes) -> bytes:
        if way is Way.OUT and len(payload) == 7 and not payload[2]:
            self.version = payload[3]  # the first answer to `version`, in the old form
        places = key_places(payload, way, self.version)
        if places:
            keys = {payload[at : at + _KEY_OCTETS] for at in places}
            self._known |= {key for key in keys if len(key) == _KEY_OCTETS and any(key)}
        told = payload
        if places is None or places:
            told = masked(payload, way, self.version)
            self.found[KEY] += told != payload
        told = self._without_secret_values(way, told)
        for key in self._known:
            if key in told:
                told = told.replace(key, bytes(len(key)))
                self.found[ELSEWHERE] += 1
        return told

    def _without_secret_values(self, way: Way, payload: bytes) -> bytes:
        """Return a frame without what a token or value holds that nobody may know."""
        if len(payload) <= _HEADER:
            return payload
        frame_id, first = int.from_bytes(payload[3:5], "little"), payload[_HEADER]
        if way is Way.IN:
            self._asked = None
            if frame_id == _GET_MFG_TOKEN and first in _SECRET_TOKENS:
                self._asked = _Asked(payload[0], frame_id, 1)
            elif frame_id == _GET_VALUE and first in _SECRET_VALUES:
                kept = 5 if self.version >= WIDE_VERSION else 2
                self._asked = _Asked(payload[0], frame_id, kept)
            elif frame_id == _GET_TOKEN_DATA and _token(payload) not in _OPEN_TOKENS:
                self._asked = _Asked(payload[0], frame_id, 8)
            elif frame_id == _SET_VALUE and first in _SECRET_VALUES:
                return self._cut(payload, 2)
            return payload
        asked = self._asked
        if asked is None or (payload[0], frame_id) != (asked.sequence, asked.frame_id):
            return payload
        return self._cut(payload, asked.kept)

    def _cut(self, payload: bytes, kept: int) -> bytes:
        self.found[TOKEN] += 1
        head = payload[: _HEADER + kept]
        return head + bytes(len(payload) - len(head))

    def _damaged(self, octets: bytes) -> bytes:
        """Return octets that are no frame: what may be of a key is zeros."""
        if len(octets) <= _KEPT_OF_DAMAGED:
            return octets
        self.found[DAMAGED] += 1
        out = bytearray(octets[:_KEPT_OF_DAMAGED] + bytes(len(octets) - _KEPT_OF_DAMAGED))
        body = unstuff(bytes(out))
        if body is not None and check(body[:-CRC_BYTES]) == body[-CRC_BYTES:]:
            out[-1] = 0xFF  # it was damaged, and stays so
        return bytes(out)
