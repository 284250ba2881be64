"""No damage to a message with a protection that can be checked leaves it accepted."""

from collections import Counter
from collections.abc import Iterator

import pytest

from emulator.core.chance import Chance, Stream
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore
from emulator.crypto.protection import Accepted, KeyRing, Refusal, Refused, open_message
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
        return self.reason(data) is None

    def reason(self, data: bytes) -> str | None:
        """Why a message is not accepted, in a word of a closed list; None for one that is."""
        try:
            opened = open_message(data, self._ring, acb=self._acb)
        except MalformedFrameError as error:
            return f"malformed.{error.layer}" if error.why else "?"
        if isinstance(opened, Accepted):
            return None
        if isinstance(opened, Refused):
            return opened.reason.value if opened.detail else "?"
        return "unauthenticated" if opened.why else "?"

    def checkable(self) -> list[bytes]:
        return [data for data in self.messages if self.accepts(data)]


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


def mutated(data: bytes, stream: Stream) -> bytes:
    """A copy with one bit turned over, its end cut, octets put behind it, or one taken out."""
    octets = bytearray(data)
    at = stream.below(len(octets))
    match stream.below(8):
        case 0:
            del octets[at:]
        case 1:
            octets += stream.octets(1 + stream.below(16))
        case 2:
            del octets[at]
        case 3:
            octets.insert(at, stream.below(256))
        case _:
            octets[at] ^= 1 << stream.below(8)
    return bytes(octets)


#: What a damaged message may be refused for; a damaged code can name any other message.
REASONS = frozenset(
    {"malformed.gbcs.mac", "malformed.gbcs.grouping", "unauthenticated"}
    | {reason.value for reason in Refusal}
)


def all_refused(world: World, seed: int, count: int) -> Counter[str]:
    stream, messages = Chance(seed).stream("mutations"), world.checkable()
    found: Counter[str] = Counter()
    for number in range(count):
        data = messages[number % len(messages)]
        copy = mutated(data, stream)
        reason = "same" if copy == data else world.reason(copy)
        assert reason is not None, (data.hex(), copy.hex())
        found[reason] += 1
    del found["same"]
    assert set(found) <= REASONS, found
    return found


def test_each_of_5000_mutations_is_refused_for_a_named_reason(world: World) -> None:
    found = all_refused(world, 11, FLIPS)
    assert {"bad_mac", "bad_signature", "malformed.gbcs.mac", "malformed.gbcs.grouping"} <= set(
        found
    )
    assert found.total() > FLIPS * 99 // 100


@pytest.mark.soak
def test_each_of_200000_mutations_is_refused_for_a_named_reason(world: World) -> None:
    found = all_refused(world, 12, 200_000)
    assert found.total() > 198_000
