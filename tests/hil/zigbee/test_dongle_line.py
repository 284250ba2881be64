"""What stands between a line and bellows' ASH: frames that go together, and frames cut short."""

import asyncio

from emulator.codecs.ezsp.ash import AckFrame, DataFrame, NakFrame, encode
from hil.zigbee.link import _GatheringTransport, _Line
from hil.zigbee.settings import DongleSettings

ACKS = [encode(AckFrame(number)) for number in range(1, 6)]
COMMAND = encode(DataFrame(2, 3, b"\x02\x00\x01\x05\x00"))
AGAIN = [
    encode(DataFrame(number, acknowledged, b"\x02\x00\x01\x05\x00", True))
    for number in range(8)
    for acknowledged in range(8)
]
CANCEL = b"\x1a"


class Far(asyncio.Transport):
    """The line; remembers each write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))

    def is_closing(self) -> bool:
        return False


class Near(asyncio.Protocol):
    """ASH; remembers what it is given."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []

    def data_received(self, data: bytes) -> None:
        self.heard.append(data)


def written(*frames: bytes, wait_s: float = 0.0) -> list[bytes]:
    """Return what goes onto the line at once, or after a while."""

    async def scene() -> list[bytes]:
        far = Far()
        line = _GatheringTransport(far, None)
        for frame in frames:
            line.write(frame)
        await asyncio.sleep(wait_s)
        return far.writes

    return asyncio.run(scene())


def test_one_acknowledgement_of_all_goes_with_the_command_that_follows() -> None:
    assert written(*ACKS[:3], COMMAND, wait_s=0.2) == [ACKS[2] + COMMAND]


def test_what_no_command_follows_is_acknowledged_by_itself_and_once() -> None:
    assert written(*ACKS[:2], wait_s=0.2) == [ACKS[1]]
    assert written(*ACKS[:2]) == []


def test_a_dongle_that_says_much_unasked_is_acknowledged_before_its_window_is_full() -> None:
    assert written(*ACKS[:4]) == [ACKS[3]]
    assert written(*ACKS[:5], COMMAND) == [ACKS[3], ACKS[4] + COMMAND]


def test_a_rejection_goes_at_once_behind_what_was_acknowledged() -> None:
    rejection = encode(NakFrame(2))
    assert written(ACKS[1], rejection, wait_s=0.2) == [ACKS[1] + rejection]


def test_a_command_that_is_sent_for_the_first_time_cancels_nothing() -> None:
    fresh = [
        encode(DataFrame(number, acknowledged, b"\x02\x00\x01\x05\x00"))
        for number in range(8)
        for acknowledged in range(8)
    ]
    assert written(*fresh) == fresh


def test_a_command_that_is_sent_again_cancels_what_is_left_of_its_first_copy() -> None:
    assert written(*AGAIN) == [CANCEL + frame for frame in AGAIN]
    assert written(COMMAND, CANCEL * 32 + b"\xc0\x38\xbc\x7e") == [
        COMMAND,
        CANCEL * 32 + b"\xc0\x38\xbc\x7e",
    ]


def test_a_frame_without_its_end_is_given_up_after_a_pause_and_only_then() -> None:
    async def scene(pause_s: float) -> list[bytes]:
        near = Near()
        line = _Line(near, None, DongleSettings("tcp://127.0.0.1:1"))
        line.data_received(COMMAND[:5])
        line.data_received(COMMAND[5:])
        line.data_received(COMMAND[:5])
        await asyncio.sleep(pause_s)
        line.data_received(COMMAND)
        return near.heard

    whole = [COMMAND[:5], COMMAND[5:], COMMAND[:5]]
    assert asyncio.run(scene(0.0)) == [*whole, COMMAND]
    assert asyncio.run(scene(0.5)) == [*whole, CANCEL, COMMAND]
