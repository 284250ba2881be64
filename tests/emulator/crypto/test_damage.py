"""No damage to a message with a protection that can be checked leaves it accepted."""

from collections.abc import Iterator

import pytest

from emulator.core.chance import Chance
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore
from emulator.crypto.protection import Accepted, KeyRing, open_message
from tests.emulator.crypto.own_messages import ACB, STORE, made_messages
from tests.given import RTDS_KEYS, needs_rtds, rtds_messages

RTDS_ACB = Eui64.parse("90-B3-D5-1F-30-00-00-02")
FLIPS = 5000


class World:
    """Messages, and who judges them."""

    def __init__(self, messages: list[bytes], store: KeyStore, acb: Eui64) -> None:
        self.messages = messages
        self._ring = KeyRing(store)
        self._acb = acb

    def accepts(self, data: bytes) -> bool:
        try:
            return isinstance(open_message(data, self._ring, acb=self._acb), Accepted)
        except MalformedFrameError:
            return False


@pytest.fixture(params=["own", pytest.param("rtds", marks=needs_rtds)], scope="module")
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "own":
        return World([made.data for made in made_messages()], STORE, ACB)
    messages = [data for _, data in rtds_messages()]
    return World(messages, KeyStore.load(RTDS_KEYS), RTDS_ACB)


def test_undamaged_messages_are_accepted(world: World) -> None:
    count = sum(world.accepts(data) for data in world.messages)
    assert count in {552, len(world.messages)}  # RTDS: all but 87 pre-commands and the PCS02 pair


@pytest.mark.parametrize("count", [1, 12, 64, 65])
def test_no_truncation_is_accepted(world: World, count: int) -> None:
    for data in world.messages:
        assert not world.accepts(data[:-count])
        assert not world.accepts(data[count:])


@pytest.mark.parametrize("octet", [0x00, 0x40, 0xFF])
def test_no_extension_is_accepted(world: World, octet: int) -> None:
    for data in world.messages:
        assert not world.accepts(data + bytes([octet]))
        assert not world.accepts(bytes([octet]) + data)


def with_length_moved(data: bytes) -> Iterator[bytes]:
    """Truncations and extensions whose MAC wrapper counts the octets that are there."""
    if data[0] != 0xDD or data[7] != 0x82:
        return
    for changed in (data[10:-1], data[10:] + b"\0", data[10:-12]):
        if len(changed) > 0xFF:
            yield data[:8] + len(changed).to_bytes(2, "big") + changed


def test_no_truncation_with_its_length_put_right_is_accepted(world: World) -> None:
    tried = 0
    for data in world.messages:
        for changed in with_length_moved(data):
            tried += 1
            assert not world.accepts(changed)
    assert tried > 100


def flipped(data: bytes, bit: int) -> bytes:
    octets = bytearray(data)
    octets[bit // 8] ^= 1 << bit % 8
    return bytes(octets)


def test_no_flipped_bit_of_5000_is_accepted(world: World) -> None:
    stream = Chance(1).stream("flips")
    for number in range(FLIPS):
        data = world.messages[number % len(world.messages)]
        assert not world.accepts(flipped(data, stream.below(8 * len(data))))


def test_no_flipped_bit_of_the_structure_is_accepted(world: World) -> None:
    """Every bit outside payload and signature of a few messages: headers, lengths, MAC."""
    for data in world.messages[::60]:
        ends = {*range(8 * 60), *range(8 * (len(data) - 80), 8 * len(data))}
        for bit in sorted(bit for bit in ends if 0 <= bit < 8 * len(data)):
            assert not world.accepts(flipped(data, bit)), bit


@pytest.mark.soak
def test_no_flipped_bit_at_all_is_accepted(world: World) -> None:
    for data in world.messages:
        for bit in range(8 * len(data)):
            assert not world.accepts(flipped(data, bit)), (data.hex(), bit)


@pytest.mark.soak
def test_no_truncation_at_all_is_accepted(world: World) -> None:
    for data in world.messages:
        for length in range(len(data)):
            assert not world.accepts(data[:length]), (data.hex(), length)
