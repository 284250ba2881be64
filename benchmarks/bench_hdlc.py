"""What HDLC frames, DLMS profiles and links cost: parsing against plain construct, whole exchanges.

The reference of a codec is a construct declaration of the same format, not compiled. For frames it
is the one that the tests hold the codec to. For profiles it is a bare one of containers, given
here: the declaration of the tests also makes our values of them and would flatter the ratio. What
both read is compared on the measured octets before anything is timed.
"""

import timeit
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from time import process_time
from typing import Any, Final

import construct as c

from emulator.codecs.dlms import axdr, hdlc, hdlc_declaration
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.dlms.hdlc import Address, Frame
from emulator.codecs.dlms.hdlc_client import ClientLink, ClientState
from emulator.codecs.dlms.hdlc_control import i_control
from emulator.codecs.dlms.hdlc_link import ApduReceived, LinkSettings, Send
from emulator.codecs.dlms.hdlc_splitter import FrameSplitter
from emulator.codecs.dlms.hdlc_station import Station
from emulator.codecs.gbcs.envelope_declaration import BerLength

_SHORT = Frame(Address(16), Address(1), i_control(1, 2, poll=True), bytes(range(12)))
_LONG = Frame(Address(16), Address(1, 17, 2), i_control(1, 2, poll=True), bytes(range(127)))
_REPEATS = 5
_AIM = 5.0
_HALF_HOURS = 48
_DAYS = 90
#: The types of a load profile, as plain construct would say them.
_DATA: Final[c.Construct] = c.Struct(
    "tag" / c.Int8ub,
    "value"
    / c.Switch(
        c.this.tag,
        {
            1: c.PrefixedArray(BerLength(), c.LazyBound(lambda: _DATA)),
            2: c.PrefixedArray(BerLength(), c.LazyBound(lambda: _DATA)),
            6: c.Int32ub,
            9: c.Prefixed(BerLength(), c.GreedyBytes),
            17: c.Int8ub,
        },
        default=c.Error,
    ),
)
_WHOLE: Final = c.Struct("data" / _DATA, c.Terminated)


def _best_us(act: Callable[[], object], rounds: int) -> float:
    """Return microseconds of processor time, so that a busy machine tells the same."""
    return (
        min(timeit.repeat(act, number=rounds, repeat=_REPEATS, timer=process_time)) / rounds * 1e6
    )


def _frame_rows() -> Iterator[tuple[str, float, float]]:
    for frame in (_SHORT, _LONG):
        octets = hdlc.encode(frame)
        if not hdlc_declaration.decode(octets) == hdlc.decode(octets) == frame:
            raise AssertionError("the two decoders do not agree")
        if hdlc_declaration.encode(frame) != octets:
            raise AssertionError("the two encoders do not agree")
        size = len(octets)
        fast = _best_us(partial(hdlc.decode, octets), 20_000)
        plain = _best_us(partial(hdlc_declaration.decode, octets), 300)
        yield f"HDLC parse, {size} octets", fast, plain
        fast = _best_us(partial(hdlc.encode, frame), 20_000)
        plain = _best_us(partial(hdlc_declaration.encode, frame), 300)
        yield f"HDLC build, {size} octets", fast, plain


def _profile(rows: int) -> Data:
    """Return a load profile: time, status and energy of each half-hour."""

    def row(number: int) -> Data:
        time = bytes((7, 234, 1, number // _HALF_HOURS % 31 + 1, 255, number % 24)) + bytes(6)
        energy = Data(Tag.UINT32, 1_000_000 + 137 * number)
        return axdr.structure(axdr.octets(time), Data(Tag.UINT8, 0), energy)

    return Data(Tag.ARRAY, tuple(row(number) for number in range(rows)))


def _same(value: Data, raw: Any) -> bool:
    if raw.tag != value.tag:
        return False
    if isinstance(value.value, tuple):
        return len(raw.value) == len(value.value) and all(
            _same(one, other) for one, other in zip(value.value, raw.value, strict=True)
        )
    return bool(raw.value == value.value)


def _profile_rows() -> Iterator[tuple[str, float, float]]:
    for what, rows in (("48 rows", _HALF_HOURS), ("90 days", _HALF_HOURS * _DAYS)):
        value = _profile(rows)
        octets = axdr.encode(value)
        if axdr.decode(octets) != value or not _same(value, _WHOLE.parse(octets).data):
            raise AssertionError("the two decoders do not agree")
        fast = _best_us(partial(axdr.decode, octets), max(1, 20_000 // rows))
        plain = _best_us(partial(_WHOLE.parse, octets), max(1, 1_000 // rows))
        yield f"A-XDR profile parse, {what}, {len(octets)} octets", fast, plain


class Exchange:
    """A client and a station in one process; every octet goes through both splitters."""

    def __init__(self) -> None:
        self._client = ClientLink(LinkSettings(), Address(16), Address(1))
        self._station = Station(LinkSettings(), frozenset({1}))
        self._splitter = FrameSplitter()
        self._carry(self._client.connect(0))

    def ask(self) -> None:
        """Ask for a register and take the answer."""
        self._carry(self._client.send(bytes(13), 0))
        if self._client.state is not ClientState.IDLE:
            raise AssertionError("the exchange did not end")

    def _carry(self, outputs: Sequence[object]) -> None:
        for output in outputs:
            if isinstance(output, Send):
                self._reply(output.octets)

    def _reply(self, octets: bytes) -> None:
        for item in self._station.feed(octets, 0):
            replies = [item.output]
            if isinstance(item.output, ApduReceived):
                replies = self._station.links[item.key].answer(bytes(8), 0)
            for reply in replies:
                if isinstance(reply, Send):
                    for frame in self._splitter.feed(reply.octets):
                        self._carry(self._client.receive(frame, 0))


def _parse_claims() -> None:
    missed = []
    for claim, fast, plain in (*_frame_rows(), *_profile_rows()):
        ratio = plain / fast
        print(f"{claim} | {fast:.2f} | us | plain construct {plain:.1f} us | {ratio:.1f}")
        if "parse" in claim and ratio < _AIM:
            missed.append(f"{claim}: {ratio:.1f} times plain construct, {_AIM} are the aim")
    if missed:
        raise SystemExit("\n".join(missed))


def main() -> None:
    """Print the claims."""
    print("claim | value | unit | reference | ratio")
    _parse_claims()
    stream = hdlc.encode(_LONG) * 100
    floor = _best_us(lambda: [hdlc.decode(hdlc.encode(_LONG)) for _ in range(100)], 20) / 100
    split = _best_us(lambda: FrameSplitter().feed(stream), 50) / 100
    print(f"split off and parse a frame | {split:.2f} | us | build and parse {floor:.2f} us | "
          f"{split / floor:.2f}")  # fmt: skip
    exchange = Exchange()
    whole = _best_us(exchange.ask, 2_000)
    codec = _best_us(
        lambda: [hdlc.decode(hdlc.encode(_SHORT)), hdlc.decode(hdlc.encode(_SHORT))], 5_000
    )
    print(f"question and answer through both link machines | {whole:.1f} | us | "
          f"frame codec alone {codec:.1f} us | {whole / codec:.1f}")  # fmt: skip


if __name__ == "__main__":
    main()
