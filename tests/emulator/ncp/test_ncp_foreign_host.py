"""A host of no habits: ASH and EZSP from the octets up, in orders and sizes that bellows never has.

Nothing of the product's codecs stands here, so that both cannot be wrong in the same way; what a
frame must look like is UG101's and UG100's (reference zigbee-dongle.md 2.1 to 2.5).
"""

import binascii
from collections.abc import Sequence

import pytest

from emulator.codecs.ezsp.ash import ResetCode
from emulator.ncp.dongle import Dongle
from tests.emulator.ncp.ncp_given import a_dongle

_RESERVED = frozenset(b"\x7e\x7d\x11\x13\x18\x1a")
_RST, _RSTACK, _ACK, _NAK, _ERROR = 0xC0, 0xC1, 0x80, 0xA0, 0xC2
NOP = 0x0005
SECURITY = b"\x00\x03ZigBeeAlliance09" + bytes(range(16)) + bytes(9)
NETWORK = bytes(range(8)) + b"\x34\x12\x08\x0f" + bytes(8)
#: invalidCommand, and its reasons as UG100 numbers them up to v13.
INVALID = 0x0058
NO_VERSION, NO_ID, WRONG_WAY, TRUNCATED, OVERFLOW = 0x30, 0x31, 0x32, 0x33, 0x34


def _randomised(octets: bytes) -> bytes:
    register, out = 0x42, bytearray()
    for octet in octets:
        out.append(octet ^ register)
        register = register >> 1 ^ (0xB8 if register & 1 else 0)
    return bytes(out)


def _on_wire(control: int, field: bytes = b"") -> bytes:
    body = bytes((control,)) + field
    body += binascii.crc_hqx(body, 0xFFFF).to_bytes(2, "big")
    out = bytearray()
    for octet in body:
        out += bytes((0x7D, octet ^ 0x20)) if octet in _RESERVED else bytes((octet,))
    return bytes(out) + b"\x7e"


def _off_wire(piece: bytes) -> bytes:
    out, escaped = bytearray(), False
    for octet in piece.rpartition(b"\x1a")[2]:
        if octet == 0x7D:
            escaped = True
            continue
        out.append(octet ^ 0x20 if escaped else octet)
        escaped = False
    assert binascii.crc_hqx(bytes(out), 0xFFFF) == 0, piece.hex()
    return bytes(out[:-2])


def asked(sequence: int, frame_id: int, parameters: bytes = b"") -> bytes:
    """Return a command in the form of v8 and later."""
    return bytes((sequence, 0, 1)) + frame_id.to_bytes(2, "little") + parameters


class Stranger:
    """A host that numbers, acknowledges and asks as its test says."""

    def __init__(self, version: int = 13) -> None:
        self.dongle: Dongle = a_dongle(version)
        self.version = version
        self.now = 0
        self.sent = 0
        self.heard = 0
        self.reset()

    def reset(self) -> bytes:
        """Reset the link; return the frame that confirms it."""
        self.sent = self.heard = 0
        return self.put(b"\x1a" + _on_wire(_RST))[-1]

    def put(self, octets: bytes) -> list[bytes]:
        """Put octets on the line; return the frames that come back, unstuffed."""
        return self._frames(self.dongle.receive(octets, self.now))

    def wait(self, ms: int) -> list[bytes]:
        """Let time pass without a word."""
        frames, end = [], self.now + ms
        while (due := self.dongle.deadline) is not None and due <= end:
            self.now = max(self.now, due)
            frames += self._frames(self.dongle.tick(self.now))
        self.now = end
        return frames

    def data(self, payload: bytes, *, number: int | None = None, again: bool = False) -> bytes:
        """Return a data frame, by default the next."""
        if number is None:
            number, self.sent = self.sent, (self.sent + 1) % 8
        control = number << 4 | (8 if again else 0) | self.heard
        return _on_wire(control, _randomised(payload))

    def ezsp(self, frames: Sequence[bytes]) -> list[bytes]:
        """Return the EZSP frames among what has come, in order and each once."""
        found = []
        for frame in frames:
            if frame[0] < _ACK and frame[0] >> 4 == self.heard:
                self.heard = (self.heard + 1) % 8
                found.append(_randomised(frame[1:]))
        return found

    def ask(self, payload: bytes) -> bytes:
        """Send an EZSP frame; return its answer, and acknowledge all that comes."""
        answer, *_told = self.ezsp(self.put(self.data(payload)))
        self.put(_on_wire(_ACK | self.heard))
        return answer

    def agree(self) -> "Stranger":
        """Agree on the version, in the form of v8 and later alone."""
        assert self.ask(asked(0, 0, bytes((self.version,))))[5] == self.version
        return self

    @staticmethod
    def _frames(octets: bytes) -> list[bytes]:
        *pieces, rest = octets.split(b"\x7e")
        assert rest == b""
        return [_off_wire(piece) for piece in pieces]


def refusal(answer: bytes) -> int:
    """Return why a command was not carried out."""
    assert int.from_bytes(answer[3:5], "little") == INVALID, answer.hex()
    return answer[5]


def test_version_may_be_asked_in_either_form_and_again_and_nothing_goes_before_it() -> None:
    host = Stranger()
    assert refusal(host.ask(asked(0, NOP))) == NO_VERSION
    assert host.ask(b"\x01\x00\x00\x04")[:4] == b"\x01\x80\x00\x0d"
    assert host.ask(b"\x02\x00\x05")[-1] == NO_VERSION
    assert host.ask(asked(3, 0, b"\x0d"))[:6] == b"\x03\x80\x01\x00\x00\x0d"
    assert host.ask(asked(4, 0, b"\x04"))[5] == 13
    assert host.reset()[0] == _RSTACK
    assert refusal(host.ask(asked(0, NOP))) == NO_VERSION


def test_a_frame_may_come_octet_by_octet_among_noise_and_be_cut_short_by_a_reset() -> None:
    host = Stranger().agree()
    whole = host.data(asked(1, NOP))
    came = [frame for octet in whole for frame in host.put(b"\x13" + bytes((octet,)) + b"\x11")]
    assert host.ezsp(came) == [b"\x01\x80\x01\x05\x00"]
    assert host.put(host.data(asked(2, NOP))[:4]) == []
    assert host.reset() == bytes((_RSTACK, 2, ResetCode.SOFTWARE))
    host.agree()
    assert host.put(b"\x7e\x7e\x05\x1a") == []
    assert host.ask(asked(3, NOP))[0] == 3


@pytest.mark.parametrize("outstanding", range(1, 8))
def test_as_many_commands_as_can_be_numbered_may_be_outstanding(outstanding: int) -> None:
    host = Stranger().agree()
    row = b"".join(host.data(asked(at, NOP)) for at in range(outstanding))
    answers = host.ezsp(host.put(row))
    while len(answers) < outstanding:  # the dongle's own window is five
        answers += (more := host.ezsp(host.put(_on_wire(_ACK | host.heard))))
        assert more
    assert [answer[0] for answer in answers] == list(range(outstanding))


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (asked(9, 0x3FFF), NO_ID),
        (asked(9, 0x0045), WRONG_WAY),
        (asked(9, NOP, b"\x00"), OVERFLOW),
        (asked(9, 0x0053), TRUNCATED),
        (asked(9, 0x0000), TRUNCATED),
        (b"\x09\x80\x01\x05\x00", WRONG_WAY),
        (b"\x09\x00\x01", TRUNCATED),
    ],
)
def test_what_is_no_command_is_refused_with_its_reason_and_the_next_one_is_taken(
    payload: bytes, why: int
) -> None:
    host = Stranger().agree()
    assert refusal(host.ask(payload)) == why
    assert host.ask(asked(10, NOP)) == b"\x0a\x80\x01\x05\x00"


def test_a_spoilt_or_early_frame_is_rejected_once_and_a_second_copy_is_not_carried_out() -> None:
    host = Stranger().agree()
    whole = host.data(asked(1, NOP))
    assert host.put(whole[:3] + bytes((whole[3] ^ 1,)) + whole[4:])[0][0] & 0xE0 == _NAK
    assert host.put(host.data(asked(7, NOP), number=(host.sent + 2) % 8)) == []
    assert len(host.ezsp(host.put(whole))) == 1
    again = host.data(asked(1, NOP), number=(host.sent - 1) % 8, again=True)
    assert [frame[0] & 0xF0 for frame in host.put(again)] == [_ACK]


@pytest.mark.parametrize("version", [8, 13, 14, 18, 19])
def test_callbacks_that_nobody_takes_wait_for_a_host_that_reads_late(version: int) -> None:
    host = Stranger(version).agree()
    assert not any(host.ask(asked(1, 0x68, SECURITY))[5:9])
    answer, *told = host.ezsp(host.put(host.data(asked(2, 0x1E, NETWORK))))
    assert not any(answer[5:9])
    assert [frame[3] for frame in told + host.ezsp(host.wait(300))] == [0x19]
    host.put(_on_wire(_ACK | 8 | host.heard))  # not ready: callbacks are held, answers are not
    assert host.ask(asked(3, 0x18))[5] == 2


def test_a_host_that_acknowledges_nothing_is_given_up_until_it_resets() -> None:
    host = Stranger().agree()
    assert len(host.ezsp(host.put(host.data(asked(1, NOP))))) == 1
    assert host.wait(60_000)[-1] == bytes((_ERROR, 2, ResetCode.ACK_TIMEOUTS))
    host.heard = 0
    assert [frame[0] for frame in host.put(host.data(asked(2, NOP)))] == [_ERROR]
    assert host.reset()[0] == _RSTACK
    host.agree()
